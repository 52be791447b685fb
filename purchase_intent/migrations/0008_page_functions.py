from django.db import migrations

from purchase_intent.models.operations import CreateFunction

# What `models.statements` does for a page that goes on in its session, with plans that the server keeps. A change of
# these columns needs new functions under new names: processes of the release before go on calling these.

READ = """
CREATE OR REPLACE FUNCTION purchase_intent_session_with_visitor(the_key varchar, the_site varchar)
    RETURNS TABLE (
        session_id bigint, session_site varchar, session_key varchar, session_visitor_id bigint,
        session_started_at timestamptz, session_last_at timestamptz, session_state bytea, session_past bytea,
        session_version bigint, session_sequence bigint, session_has_news boolean, session_stage smallint,
        session_landing smallint, session_device varchar, session_channel varchar, session_country varchar,
        session_score double precision, session_band varchar, session_model_id bigint, session_scored_at
        timestamptz, session_closed_at timestamptz, session_outcome varchar, visitor_id bigint, visitor_site
        varchar, visitor_cookie varchar, visitor_known boolean, visitor_customer varchar, visitor_told_at
        timestamptz, visitor_bot varchar
    )
    LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY SELECT
        s.id, s.site, s.key, s.visitor_id, s.started_at, s.last_at, s.state, s.past, s.version, s.sequence,
        s.has_news, s.stage, s.landing, s.device, s.channel, s.country, s.score, s.band, s.model_id,
        s.scored_at, s.closed_at, s.outcome, v.id, v.site, v.cookie, v.known, v.customer, v.told_at, v.bot
    FROM purchase_intent_session s JOIN purchase_intent_visitor v ON v.id = s.visitor_id
    WHERE s.key = the_key AND s.site = the_site;
END
$$
"""

WRITE = """
CREATE OR REPLACE FUNCTION purchase_intent_go_on(
        the_state bytea, the_last_at timestamptz, the_stage integer, the_sequence bigint,
        the_session bigint, the_version bigint,
        event_key uuid, event_event_id varchar, event_visitor_id bigint, event_session_id bigint,
        event_occurred_at timestamptz, event_received_at timestamptz, event_sequence bigint, event_name integer,
        event_page integer, event_product varchar, event_category varchar, event_brand varchar, event_price
        double precision, event_quantity integer, event_order varchar, event_revenue double precision,
        event_search varchar, event_device varchar, event_channel varchar, event_country varchar
    )
    RETURNS boolean
    LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE purchase_intent_session s
    SET state = the_state, last_at = the_last_at, stage = the_stage, sequence = the_sequence, version = the_version + 1
    WHERE s.id = the_session AND s.version = the_version;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO purchase_intent_event (
        "key", event_id, visitor_id, session_id, occurred_at, received_at, sequence, "name", page, product,
        category, brand, price, quantity, "order", revenue, search, device, channel, country
    ) VALUES (
        event_key, event_event_id, event_visitor_id, event_session_id, event_occurred_at, event_received_at,
        event_sequence, event_name, event_page, event_product, event_category, event_brand, event_price,
        event_quantity, event_order, event_revenue, event_search, event_device, event_channel, event_country
    );
    RETURN true;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0007_watch"),
    ]

    operations = [
        CreateFunction("purchase_intent_session_with_visitor", READ),
        CreateFunction("purchase_intent_go_on", WRITE),
    ]
