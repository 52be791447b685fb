"""From exposures, orders and events to sums by arm that the statistics read: set by set, in bounded memory."""
