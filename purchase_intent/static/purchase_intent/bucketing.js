/* Which arm a visitor gets: the same draw as purchase_intent/stats/bucketing.py, to the bit, without waiting.
 *
 *     const placement = purchaseIntent.bucketing.place(allocation, visitor);
 *     placement.arm        // "control", or null
 *     placement.outcome    // "assigned", or why there is no arm
 *
 * `allocation` is what Allocation.as_json() gives. Salts and visitor are text; a lone surrogate counts as "?".
 */
(function (root) {
  "use strict";

  const primes = (count) => {
    const found = [];
    for (let number = 2; found.length < count; number++) {
      if (found.every((prime) => number % prime)) found.push(number);
    }
    return found;
  };

  /* FIPS 180-4: the first 32 bits of the fractions of the roots of the first primes. They are computed in doubles, which
   * is exact enough for roots of numbers below 2^9, and proved by the vectors of the tests. */
  const fraction = (value) => ((value - Math.floor(value)) * 4294967296) | 0;
  const ROUNDS = primes(64).map((prime) => fraction(Math.cbrt(prime)));
  const START = primes(8).map((prime) => fraction(Math.sqrt(prime)));

  const turn = (word, bits) => (word >>> bits) | (word << (32 - bits));

  function compress(state, bytes, offset, words) {
    for (let i = 0; i < 16; i++) {
      const at = offset + 4 * i;
      words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < 64; i++) {
      const near = words[i - 2];
      const far = words[i - 15];
      const one = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10);
      const zero = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3);
      words[i] = (one + words[i - 7] + zero + words[i - 16]) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const zero = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const first = (h + one + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
      const second = (zero + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) | 0; });
  }

  /* The eight words of SHA-256 over the UTF-8 bytes of a text. */
  function sha256(text) {
    const message = new TextEncoder().encode(text.replace(/\p{Surrogate}/gu, "?"));
    const bytes = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
    bytes.set(message);
    bytes[message.length] = 128;
    const tail = new DataView(bytes.buffer, bytes.length - 8);
    tail.setUint32(0, Math.floor(message.length / 536870912));
    tail.setUint32(4, message.length * 8);
    const state = START.slice();
    const words = new Int32Array(64);
    for (let offset = 0; offset < bytes.length; offset += 64) compress(state, bytes, offset, words);
    return state.map((word) => word >>> 0);
  }

  /* [0, 1): the first 52 bits, which a double holds exactly. */
  function position(salt, unit) {
    const [high, low] = sha256(salt + "\0" + unit);
    return (high * 1048576 + (low >>> 12)) / 4503599627370496;
  }

  /* Upper ends of the arms' ranges, added up from the left; the last one in use is 1 exactly. */
  function edges(weights) {
    let total = 0;
    const last = weights.reduce((found, weight, i) => (weight > 0 ? i : found), 0);
    return weights.map((weight, i) => {
      total += weight;
      return i >= last ? 1 : total;
    });
  }

  function drawnArm(allocation, unit) {
    const at = position(allocation.salt + ":arm", unit);
    return allocation.arms[edges(allocation.weights).findIndex((edge) => at < edge)];
  }

  function outcome({ salt, traffic, layer, holdout }, unit) {
    if (holdout && position(holdout.salt, unit) < holdout.share) return "held out";
    if (layer) {
      const at = position(layer.salt, unit);
      if (at < layer.start || at >= layer.end) return "another experiment of the group";
    }
    if (traffic < 1 && position(salt + ":traffic", unit) >= traffic) return "outside the traffic share";
    return "assigned";
  }

  function place(allocation, unit) {
    const found = outcome(allocation, unit);
    return { arm: found === "assigned" ? drawnArm(allocation, unit) : null, outcome: found };
  }

  root.purchaseIntent = root.purchaseIntent || {};
  root.purchaseIntent.bucketing = { place, drawnArm, position, sha256 };
})(globalThis);
