-- +goose Up

-- What the attribution job makes of the events. It replaces whole partitions, so a reader sees one run or the next,
-- never a mixture, and no row twice.

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS identities
(
    project      String                COMMENT 'Project',
    anonymous_id String                COMMENT 'Device',
    user_id      String                COMMENT 'User that the device belonged to in this time',
    first_seen   DateTime64(3, 'UTC')  COMMENT 'First event that names both',
    last_seen    DateTime64(3, 'UTC')  COMMENT 'Last event that names both, before the device named another user',
    events       UInt64                COMMENT 'Events that name both'
)
ENGINE = MergeTree PARTITION BY project ORDER BY (anonymous_id, last_seen)
COMMENT 'Which user a device belonged to, and when: one row a run of one user on one device';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS persons
(
    project         String                 COMMENT 'Project',
    person          String                 COMMENT 'Person: the canonical user id, or the device of somebody who never identified',
    identified      Bool                   COMMENT 'person is a user id',
    first_seen      DateTime64(3, 'UTC')   COMMENT 'First event',
    last_seen       DateTime64(3, 'UTC')   COMMENT 'Last event',
    events          UInt64                 COMMENT 'Number of events',
    devices         UInt64                 COMMENT 'Number of devices',
    first_touch     DateTime64(3, 'UTC')   COMMENT 'First touchpoint; 1970-01-01 without one',
    first_channel   LowCardinality(String) COMMENT 'Channel of the first touchpoint; empty without one',
    country         LowCardinality(String) COMMENT 'Country of the latest event that has one',
    traits          String                 COMMENT 'Traits of the latest identify call, a JSON object'
)
ENGINE = MergeTree PARTITION BY project ORDER BY (person, identified)
COMMENT 'People: everybody that events belong to, bots left out';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchpoints
(
    project        String                 COMMENT 'Project',
    touch_id       String                 COMMENT 'message_id of the event that opened the session, of the explicit Touchpoint, or of the click on a signed link',
    kind           LowCardinality(String) COMMENT 'session, explicit or link',
    person         String                 COMMENT 'Person who was touched',
    identified     Bool                   COMMENT 'person is a user id',
    anonymous_id   String                 COMMENT 'Device of the session; empty for an explicit touch without one',
    timestamp      DateTime64(3, 'UTC')   COMMENT 'Start of the session, or time of the touch',
    ended          DateTime64(3, 'UTC')   COMMENT 'Last event of the session',
    channel        LowCardinality(String) COMMENT 'Marketing channel',
    channel_reason LowCardinality(String) COMMENT 'Evidence for the channel',
    source         LowCardinality(String) COMMENT 'Source',
    medium         LowCardinality(String) COMMENT 'Medium',
    campaign       String                 COMMENT 'Campaign',
    term           String                 COMMENT 'Search term',
    content        String                 COMMENT 'Variant of the ad or link',
    click_id       String                 COMMENT 'Click identifier of an ad network',
    referrer_host  LowCardinality(String) COMMENT 'Host of the page that led here: the site''s own after a silence on it; empty when unknown',
    landing_page   String                 COMMENT 'Path of the first page',
    country        LowCardinality(String) COMMENT 'Country',
    device         LowCardinality(String) COMMENT 'desktop, mobile, tablet, tv, console or empty'
)
ENGINE = MergeTree PARTITION BY project ORDER BY (person, identified, timestamp, touch_id)
COMMENT 'Touchpoints: starts of sessions, explicit touches and clicks on signed links, one row an interaction';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS conversions
(
    project           String                 COMMENT 'Project',
    kind              String                 COMMENT 'Event that counts as this kind of conversion',
    conversion_id     String                 COMMENT 'message_id of the earliest event of the conversion',
    person            String                 COMMENT 'Person who converted; empty for an event without any id',
    identified        Bool                   COMMENT 'person is a user id',
    timestamp         DateTime64(3, 'UTC')   COMMENT 'When: the earliest event with this kind and order',
    order_id          String                 COMMENT 'Order; empty when the event names none',
    conversion_number UInt32                 COMMENT '1 for the first conversion of this kind by this person',
    amount            Decimal(18, 6)         COMMENT 'Amount before refunds, in currency',
    refunded          Decimal(18, 6)         COMMENT 'Refunded or cancelled part of amount, in currency',
    currency          LowCardinality(String) COMMENT 'Currency of amount',
    value             Decimal(18, 6)         COMMENT 'Value that is attributed, in the project''s currency; 0 when amount is in another one',
    country           LowCardinality(String) COMMENT 'Country'
)
ENGINE = MergeTree PARTITION BY (project, kind) ORDER BY (timestamp, conversion_id)
COMMENT 'Conversions: one row an order, or an event where it names no order';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS journeys
(
    project           String                COMMENT 'Project',
    kind              String                COMMENT 'Kind of conversion that the journey led to, or could have',
    level             LowCardinality(String) COMMENT 'person: the touches of one person',
    person            String                COMMENT 'Person',
    identified        Bool                  COMMENT 'person is a user id',
    state             LowCardinality(String) COMMENT 'converted; null: ended without a conversion; pending: still open at as_of',
    started           DateTime64(3, 'UTC')  COMMENT 'First touch; of a conversion without touches its time',
    ended             DateTime64(3, 'UTC')  COMMENT 'Conversion; or last touch and the inactivity that ended the journey, for pending ones the time it would end',
    conversion_id     String                COMMENT 'Conversion; empty when there is none',
    conversion_number UInt32                COMMENT 'conversion_number of the conversion; 0 when there is none',
    value             Decimal(18, 6)        COMMENT 'Value of the conversion',
    touches           Array(Tuple(touch_id String, timestamp DateTime64(3, 'UTC'), channel String, source String, medium String, campaign String)) COMMENT 'Touches in order of time; empty for an Unattributed conversion',
    as_of             DateTime64(3, 'UTC')  COMMENT 'Time the states were judged at'
)
ENGINE = MergeTree PARTITION BY (project, kind) ORDER BY (person, identified, ended, conversion_id)
COMMENT 'Journeys: the touches that led to a conversion, or to none. One row a journey';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS credits
(
    project         String                 COMMENT 'Project',
    kind            String                 COMMENT 'Kind of conversion',
    level           LowCardinality(String) COMMENT 'person',
    model           LowCardinality(String) COMMENT 'Attribution model',
    conversion_id   String                 COMMENT 'Conversion',
    converted       DateTime64(3, 'UTC')   COMMENT 'Time of the conversion',
    person          String                 COMMENT 'Person',
    touch_id        String                 COMMENT 'Touch; empty for Unattributed',
    position        UInt32                 COMMENT 'Place of the touch in its journey, from 1; 0 for Unattributed',
    touched         DateTime64(3, 'UTC')   COMMENT 'Time of the touch; for Unattributed that of the conversion',
    channel         LowCardinality(String) COMMENT 'Channel of the touch, or Unattributed',
    source          LowCardinality(String) COMMENT 'Source of the touch',
    medium          LowCardinality(String) COMMENT 'Medium of the touch',
    campaign        String                 COMMENT 'Campaign of the touch',
    credit          Decimal(18, 12)        COMMENT 'Share of the conversion; the shares of one conversion and model sum to exactly 1',
    value           Decimal(18, 6)         COMMENT 'Share of the value; the shares of one conversion and model sum to exactly its value'
)
ENGINE = MergeTree PARTITION BY (project, kind) ORDER BY (model, converted, conversion_id, position)
COMMENT 'Credit of each touch for each conversion, by model';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS channel_credits
(
    project     String                 COMMENT 'Project',
    kind        String                 COMMENT 'Kind of conversion',
    level       LowCardinality(String) COMMENT 'person',
    model       LowCardinality(String) COMMENT 'Attribution model',
    dimension   LowCardinality(String) COMMENT 'What name is: channel',
    name        String                 COMMENT 'Channel, or Unattributed',
    day         Date                   COMMENT 'Day of the conversions in the project''s time zone',
    conversions Decimal(38, 12)        COMMENT 'Conversions credited. For markov the model''s totals, spread over the days like all conversions',
    value       Decimal(38, 6)         COMMENT 'Value credited, in the project''s currency'
)
ENGINE = MergeTree PARTITION BY (project, kind) ORDER BY (model, dimension, day, name)
COMMENT 'Credit of each channel by model and day; sums over channels equal the conversions';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS path_stats
(
    project     String                        COMMENT 'Project',
    kind        String                        COMMENT 'Kind of conversion',
    level       LowCardinality(String)        COMMENT 'person',
    path        Array(LowCardinality(String)) COMMENT 'Channels of the touches in order of time; empty for Unattributed conversions',
    conversions UInt64                        COMMENT 'Journeys with this path that converted',
    value       Decimal(38, 6)                COMMENT 'Value of their conversions',
    nulls       UInt64                        COMMENT 'Journeys with this path that ended without a conversion'
)
ENGINE = MergeTree PARTITION BY (project, kind) ORDER BY path
COMMENT 'Paths of channels and what they led to: the input of the models';
-- +goose StatementEnd
