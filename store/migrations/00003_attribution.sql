-- +goose Up

-- What attribution makes of the events. Tables named X_raw hold rows by version, the newest of which counts; the views
-- X read them so, and what analysts ask is asked of the views. A run replaces the rows of the people and accounts that
-- new events touch, and of no others.

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS device_events
(
    project          LowCardinality(String)  COMMENT 'Project',
    device_key       UInt64                  COMMENT 'Hash of anonymous_id; without one of user_id, without both of message_id',
    message_key      UInt64                  COMMENT 'Hash of what tells events apart: message_id, what decides where events are stored, and whether the row is a link' CODEC(NONE),
    version          UInt64                  COMMENT 'Falls with the time of receipt: the first receipt wins. Above all others for pages that adopted the campaign of a signed link',
    inserted_at      DateTime64(3, 'UTC')    COMMENT 'When the event came into events_raw',
    run              UInt64                  COMMENT 'Run that took the event up',
    message_id       String                  COMMENT 'Identifier of the message',
    anonymous_id     String                  COMMENT 'Device; of an alias call''s link the previous id' CODEC(ZSTD(1)),
    user_id          String                  COMMENT 'User; empty when not identified' CODEC(ZSTD(1)),
    account_id       String                  COMMENT 'Account (group) the event itself names',
    timestamp        DateTime64(3, 'UTC')    COMMENT 'When it happened',
    client_timestamp DateTime64(3, 'UTC')    COMMENT 'When it happened by the client''s own clock',
    seq              UInt32                  COMMENT 'Position in the batch or file',
    type             LowCardinality(String)  COMMENT 'Type of the message; link: the link that an alias call makes',
    event            LowCardinality(String)  COMMENT 'Name of the event, of track calls',
    origin           LowCardinality(String)  COMMENT 'browser, server, pixel, link or import',
    opens            Bool                    COMMENT 'Opens a session: a page, a screen, a hit of a web server, another event of a browser with page or campaign context',
    active           Bool                    COMMENT 'Keeps a session going',
    evidence         UInt64                  COMMENT 'Hash of source, medium, campaign and click id; 0 without evidence of a channel',
    click            UInt64                  COMMENT 'Hash of the click id, or of the signed link; 0 without',
    referrer         UInt64                  COMMENT 'Hash of the referrer; 0 without',
    link             String                  COMMENT 'Click on a signed link that led to the page',
    channel          LowCardinality(String)  COMMENT 'Marketing channel',
    channel_reason   LowCardinality(String)  COMMENT 'Evidence for the channel',
    source           LowCardinality(String)  COMMENT 'Source',
    medium           LowCardinality(String)  COMMENT 'Medium',
    campaign         LowCardinality(String)  COMMENT 'Campaign',
    term             String                  COMMENT 'Search term',
    content          String                  COMMENT 'Variant of the ad or link',
    click_id         String                  COMMENT 'Click identifier of an ad network',
    referrer_host    LowCardinality(String)  COMMENT 'Host of the referrer',
    landing_page     String                  COMMENT 'Path of the page',
    country          LowCardinality(String)  COMMENT 'Country',
    device           LowCardinality(String)  COMMENT 'desktop, mobile, tablet, tv, console or empty',
    value            Decimal(18, 6)          COMMENT 'Value of the event, in currency',
    currency         LowCardinality(String)  COMMENT 'Currency of value',
    order_id         String                  COMMENT 'Order',
    properties       String                  COMMENT 'Properties, of events that are conversions of the project',
    traits           String                  COMMENT 'Traits of identify and group calls',
    INDEX inserted_minmax inserted_at TYPE minmax GRANULARITY 1,
    INDEX run_minmax run TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version) PARTITION BY project ORDER BY (project, device_key, message_key)
COMMENT 'What attribution needs of the events, by device, bots left out';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS owners
(
    project    LowCardinality(String) COMMENT 'Project',
    user_id    String                 COMMENT 'User',
    device_key UInt64                 COMMENT 'Device that an event of the user, or an alias call, named with it'
)
ENGINE = ReplacingMergeTree PARTITION BY project ORDER BY (project, user_id, device_key)
COMMENT 'Which devices may hold events of a user; may have rows twice';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS aliases
(
    project   LowCardinality(String) COMMENT 'Project',
    user_id   String                 COMMENT 'User',
    canonical String                 COMMENT 'User that stands for it'
)
ENGINE = MergeTree PARTITION BY project ORDER BY user_id
COMMENT 'Users that alias calls joined; who was never joined has no row';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS orders
(
    project     LowCardinality(String) COMMENT 'Project',
    kind        LowCardinality(String) COMMENT 'Kind of conversion',
    device_key  UInt64                 COMMENT 'Device of the conversion''s earliest event',
    message_key UInt64                 COMMENT 'Hash of that event''s message_id',
    order_id    String                 COMMENT 'Order; empty when the event names none',
    amount      Decimal(18, 6)         COMMENT 'Amount before refunds, in currency',
    refunded    Decimal(18, 6)         COMMENT 'Refunded or cancelled part of amount, in currency',
    currency    LowCardinality(String) COMMENT 'Currency of amount',
    value       Decimal(18, 6)         COMMENT 'Amount after refunds in the project''s currency; 0 without a rate',
    gross       Decimal(18, 6)         COMMENT 'Amount before refunds in the project''s currency; 0 without a rate',
    rated       Bool                   COMMENT 'amount is in the project''s currency, or there is a rate for its day'
)
ENGINE = MergeTree PARTITION BY project ORDER BY (device_key, message_key)
COMMENT 'Conversions before it is known whose they are';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS identities_raw
(
    project      LowCardinality(String) COMMENT 'Project',
    device_key   UInt64                 COMMENT 'Hash of anonymous_id',
    anonymous_id String                 COMMENT 'Device',
    runs         Array(Tuple(user_id String, first_seen DateTime64(3, 'UTC'), last_seen DateTime64(3, 'UTC'), events UInt64)) COMMENT 'Whom the device belonged to, in order of time',
    version      UInt64                 COMMENT 'Run',
    deleted      UInt8                  COMMENT '1: there is no such row any more'
)
ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY project ORDER BY (project, device_key)
COMMENT 'Which user a device belonged to, and when, by version. Read the view identities instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS subjects_raw
(
    project      LowCardinality(String) COMMENT 'Project',
    subject_key  UInt64                 COMMENT 'Hash of the person or account',
    slot         UInt8                  COMMENT '0: a person; 1: an account, or what of a person counts for no account while something else does',
    level        LowCardinality(String) COMMENT 'person, account, or both: a person without any account, who is an account of one',
    person       String                 COMMENT 'Person: the canonical user id, or the device of somebody who never identified; empty for accounts and for conversions of nobody known',
    identified   Bool                   COMMENT 'person is a user id',
    account      String                 COMMENT 'Account; of a person the latest they joined',
    first_seen   DateTime64(3, 'UTC')   COMMENT 'First event',
    last_seen    DateTime64(3, 'UTC')   COMMENT 'Last event',
    events       UInt64                 COMMENT 'Number of events',
    devices      UInt64                 COMMENT 'Number of devices',
    people       UInt64                 COMMENT 'Number of people',
    country      LowCardinality(String) COMMENT 'Country of the latest event that has one',
    traits       String                 COMMENT 'Traits of the latest identify call, of accounts of the latest group call; a JSON object',
    role         LowCardinality(String) COMMENT 'Role, of the trait that the project names',
    interest     LowCardinality(String) COMMENT 'Interest, of the trait that the project names',
    touches      Array(Tuple(timestamp DateTime64(3, 'UTC'), touch_id String, kind LowCardinality(String), person String, identified Bool, anonymous_id String, ended DateTime64(3, 'UTC'), channel LowCardinality(String), channel_reason LowCardinality(String), source LowCardinality(String), medium LowCardinality(String), campaign LowCardinality(String), term String, content String, click_id String, referrer_host LowCardinality(String), landing_page String, country LowCardinality(String), device LowCardinality(String))) COMMENT 'Touchpoints in order of time',
    conversions  Array(Tuple(timestamp DateTime64(3, 'UTC'), conversion_id String, kind LowCardinality(String), person String, identified Bool, order_id String, amount Decimal(18, 6), refunded Decimal(18, 6), currency LowCardinality(String), value Decimal(18, 6), gross Decimal(18, 6), rated Bool, country LowCardinality(String), inherits String, inherits_at DateTime64(3, 'UTC'))) COMMENT 'Conversions of all kinds in order of time; inherits: the touch of the session it happened in',
    milestones   Array(Tuple(timestamp DateTime64(3, 'UTC'), milestone UInt8)) COMMENT 'Milestones reached, in order of time: 1 lead, 2 opportunity',
    touch_accounts      Array(String)   COMMENT 'Account that each of touches counts for; empty: none',
    conversion_accounts Array(String)   COMMENT 'Account that each of conversions counts for',
    milestone_accounts  Array(String)   COMMENT 'Account that each of milestones counts for',
    memberships  Array(Tuple(timestamp DateTime64(3, 'UTC'), account String, traits String)) COMMENT 'group calls, in order of time',
    accounts     Array(String)          COMMENT 'Accounts that anything of the person counts for',
    led          Array(Tuple(kind LowCardinality(String), conversion UInt32, number UInt32, lead UInt32, opportunity UInt32, inherited UInt32, first UInt32, touches UInt32)) COMMENT 'Journeys that converted: the place of the conversion in conversions, its number; of the last touch up to each milestone the place in the journey; the place in touches of an inherited touch before the others, and of the first of the others, and how many these are; places from 1, 0: none',
    open         Array(Tuple(kind LowCardinality(String), number UInt32, ended DateTime64(3, 'UTC'), first UInt32, touches UInt32)) COMMENT 'Journeys without conversion: how many conversions came before, when they end without a further touch, place of the first touch, how many they are',
    version      UInt64                 COMMENT 'Run',
    deleted      UInt8                  COMMENT '1: there is no such row any more'
)
ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY project ORDER BY (project, subject_key, slot)
COMMENT 'People and accounts with everything of theirs, by version. Read the views persons, accounts, touchpoints and journeys instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS conversions_raw
(
    project           LowCardinality(String) COMMENT 'Project',
    subject_key       UInt64                 COMMENT 'Hash of the person or account',
    slot              UInt8                  COMMENT 'As in subjects_raw',
    level             LowCardinality(String) COMMENT 'person, account or both',
    kind              LowCardinality(String) COMMENT 'Event that counts as this kind of conversion',
    conversion_id     String                 COMMENT 'message_id of the earliest event of the conversion',
    timestamp         DateTime64(3, 'UTC')   COMMENT 'When: the earliest event with this kind and order',
    person            String                 COMMENT 'Person who converted; empty for an event without any id',
    identified        Bool                   COMMENT 'person is a user id',
    account           String                 COMMENT 'Account that the conversion counts for; empty: none',
    order_id          String                 COMMENT 'Order; empty when the event names none',
    conversion_number UInt32                 COMMENT '1 for the first conversion of this kind by this person, at level account by this account',
    amount            Decimal(18, 6)         COMMENT 'Amount before refunds, in currency',
    refunded          Decimal(18, 6)         COMMENT 'Refunded or cancelled part of amount, in currency',
    currency          LowCardinality(String) COMMENT 'Currency of amount',
    value             Decimal(18, 6)         COMMENT 'Value that is attributed: amount after refunds, in the project''s currency; 0 when there is no rate for it',
    gross             Decimal(18, 6)         COMMENT 'amount before refunds, in the project''s currency; 0 when there is no rate for it',
    rated             Bool                   COMMENT 'amount is in the project''s currency, or there is a rate for its day',
    country           LowCardinality(String) COMMENT 'Country',
    lead              UInt32                 COMMENT 'Place of the last touch up to the lead milestone, from 1; 0 without',
    opportunity       UInt32                 COMMENT 'Place of the last touch up to the opportunity milestone, from 1; 0 without',
    touches           Array(Tuple(timestamp DateTime64(3, 'UTC'), touch_id String, person String, channel LowCardinality(String), source LowCardinality(String), medium LowCardinality(String), campaign LowCardinality(String), landing_page String, country LowCardinality(String), device LowCardinality(String))) COMMENT 'Touches of the journey in order of time; empty for an Unattributed conversion',
    models            Array(LowCardinality(String)) COMMENT 'Models that look at one journey at a time',
    shares            Array(Array(Int64))    COMMENT 'Of each touch the share under each of models, in millionths of a millionth; those of a model sum to exactly 1. Of an Unattributed conversion one row',
    worth             Array(Array(Int64))    COMMENT 'Likewise its part of value, in millionths; those of a model sum to exactly value',
    version           UInt64                 COMMENT 'Run',
    deleted           UInt8                  COMMENT '1: there is no such row any more'
)
ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY project ORDER BY (project, subject_key, slot, kind, conversion_id)
COMMENT 'Conversions with their journey and credit, by version. Read the views conversions, journeys and credits instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS path_stats_raw
(
    project     LowCardinality(String)        COMMENT 'Project',
    kind        LowCardinality(String)        COMMENT 'Kind of conversion',
    level       LowCardinality(String)        COMMENT 'person or account',
    path        Array(LowCardinality(String)) COMMENT 'Channels of the touches in order of time; empty for Unattributed conversions',
    conversions Int64                         COMMENT 'Journeys with this path that converted',
    value       Decimal(38, 6)                COMMENT 'Value of their conversions',
    nulls       Int64                         COMMENT 'Journeys with this path that ended without a conversion',
    version     UInt64                        COMMENT 'Run',
    deleted     UInt8                         COMMENT '1: there is no such row any more'
)
ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY project ORDER BY (project, kind, level, path)
COMMENT 'Paths of channels and what they led to, by version. Read the view path_stats instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS channel_credits_raw
(
    project     LowCardinality(String) COMMENT 'Project',
    kind        LowCardinality(String) COMMENT 'Kind of conversion',
    level       LowCardinality(String) COMMENT 'person or account',
    model       LowCardinality(String) COMMENT 'Attribution model',
    dimension   LowCardinality(String) COMMENT 'What name is: channel, source, medium, campaign, landing_page, country or device of the touch',
    name        String                 COMMENT 'Channel, source, ...; Unattributed for conversions without touches',
    day         Date                   COMMENT 'Day of the conversions in the project''s time zone',
    conversions Decimal(38, 12)        COMMENT 'Conversions credited. For markov by channel the model''s totals, spread over the days like all conversions',
    value       Decimal(38, 6)         COMMENT 'Value credited, in the project''s currency',
    version     UInt64                 COMMENT 'Run',
    deleted     UInt8                  COMMENT '1: there is no such row any more'
)
ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY project ORDER BY (project, kind, level, model, dimension, day, name)
COMMENT 'Credit by model, dimension and day, by version. Read the view channel_credits instead';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS removal_effects
(
    project      LowCardinality(String) COMMENT 'Project',
    kind         LowCardinality(String) COMMENT 'Kind of conversion',
    level        LowCardinality(String) COMMENT 'person or account',
    channel      LowCardinality(String) COMMENT 'Channel',
    effect       Float64                COMMENT 'Share of the conversions that is lost when the channel leads nowhere',
    value_effect Float64                COMMENT 'Share of their value that is lost then'
)
ENGINE = MergeTree PARTITION BY project ORDER BY (kind, level, channel)
COMMENT 'Removal effects of the Markov chain of order 1 over all journeys';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS transitions
(
    project     LowCardinality(String) COMMENT 'Project',
    kind        LowCardinality(String) COMMENT 'Kind of conversion',
    level       LowCardinality(String) COMMENT 'person or account',
    from_state  String                 COMMENT 'Channel, or (start)',
    to_state    String                 COMMENT 'Channel, (conversion) or (null)',
    probability Float64                COMMENT 'Share of the steps out of from_state'
)
ENGINE = MergeTree PARTITION BY project ORDER BY (kind, level, from_state, to_state)
COMMENT 'Steps of the Markov chain of order 1 over all journeys';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS updates
(
    project   LowCardinality(String) COMMENT 'Project',
    run       UInt64                 COMMENT 'Number of the run; grows',
    state     LowCardinality(String) COMMENT 'rebuilding: begun to compute everything anew; publishing: its tables are complete and on their way; done',
    full      Bool                   COMMENT 'Computed everything anew; else what new events touch',
    settings  String                 COMMENT 'What the run depends on besides events: the project''s configuration, a JSON object',
    as_of     DateTime64(3, 'UTC')   COMMENT 'Time of the newest event: journeys without conversion that ended before are null, others pending',
    watermark DateTime64(3, 'UTC')   COMMENT 'Events inserted before were taken up',
    started   DateTime64(3, 'UTC')   COMMENT 'When the run began',
    finished  DateTime64(3, 'UTC')   COMMENT 'When its tables were complete',
    events    UInt64                 COMMENT 'Events it took up',
    subjects  UInt64                 COMMENT 'People and accounts that it wrote'
)
ENGINE = ReplacingMergeTree(finished) PARTITION BY project ORDER BY (project, run, state)
COMMENT 'Updates of the tables of attribution';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS identities
(
    project      LowCardinality(String) COMMENT 'Project',
    anonymous_id String                 COMMENT 'Device',
    user_id      String                 COMMENT 'User; empty before anybody identified',
    first_seen   DateTime64(3, 'UTC')   COMMENT 'First event of the run',
    last_seen    DateTime64(3, 'UTC')   COMMENT 'Last event of the run',
    events       UInt64                 COMMENT 'Number of events'
)
AS
SELECT project, anonymous_id, r.user_id AS user_id, r.first_seen AS first_seen, r.last_seen AS last_seen, r.events AS events
FROM identities_raw FINAL
ARRAY JOIN runs AS r
COMMENT 'Which user a device belonged to, and when: one row a run of one user on one device';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS persons
(
    project       LowCardinality(String) COMMENT 'Project',
    person        String                 COMMENT 'Person: the canonical user id, or the device of somebody who never identified',
    identified    Bool                   COMMENT 'person is a user id',
    account       String                 COMMENT 'Account that the person joined last; empty: none',
    role          LowCardinality(String) COMMENT 'Role, of the trait that the project names',
    interest      LowCardinality(String) COMMENT 'Interest, of the trait that the project names',
    first_seen    DateTime64(3, 'UTC')   COMMENT 'First event',
    last_seen     DateTime64(3, 'UTC')   COMMENT 'Last event',
    events        UInt64                 COMMENT 'Number of events',
    devices       UInt64                 COMMENT 'Number of devices',
    first_touch   DateTime64(3, 'UTC')   COMMENT 'First touchpoint; 1970-01-01 without one',
    first_channel String                 COMMENT 'Channel of the first touchpoint; empty without one',
    country       LowCardinality(String) COMMENT 'Country of the latest event that has one',
    traits        String                 COMMENT 'Traits of the latest identify call, a JSON object'
)
AS
SELECT
    project, person, identified, account, role, interest, first_seen, last_seen, events, devices,
    touches.timestamp[1] AS first_touch, touches.channel[1] AS first_channel, country, traits
FROM subjects_raw FINAL
WHERE slot = 0 AND person != ''
COMMENT 'People: everybody that events belong to, bots left out';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS accounts
(
    project       LowCardinality(String) COMMENT 'Project',
    account       String                 COMMENT 'Account',
    first_seen    DateTime64(3, 'UTC')   COMMENT 'First event of its people',
    last_seen     DateTime64(3, 'UTC')   COMMENT 'Last event of its people',
    events        UInt64                 COMMENT 'Number of events',
    people        UInt64                 COMMENT 'Number of people',
    first_touch   DateTime64(3, 'UTC')   COMMENT 'First touchpoint; 1970-01-01 without one',
    first_channel String                 COMMENT 'Channel of the first touchpoint; empty without one',
    country       LowCardinality(String) COMMENT 'Country of the latest event that has one',
    traits        String                 COMMENT 'Traits of the latest group call, a JSON object'
)
AS
SELECT
    project, account, first_seen, last_seen, events, people,
    touches.timestamp[1] AS first_touch, touches.channel[1] AS first_channel, country, traits
FROM subjects_raw FINAL
WHERE slot = 1 AND person = ''
COMMENT 'Accounts: companies, or whatever group() named, with all of their people';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS touchpoints
(
    project        LowCardinality(String) COMMENT 'Project',
    touch_id       String                 COMMENT 'message_id of the event that opened the session, of the explicit Touchpoint, or of the click on a signed link',
    kind           LowCardinality(String) COMMENT 'session, explicit or link',
    person         String                 COMMENT 'Person who was touched',
    identified     Bool                   COMMENT 'person is a user id',
    account        String                 COMMENT 'Account that the touch counts for; empty: none',
    anonymous_id   String                 COMMENT 'Device of the session; empty for an explicit touch without one',
    timestamp      DateTime64(3, 'UTC')   COMMENT 'Start of the session, or time of the touch',
    ended          DateTime64(3, 'UTC')   COMMENT 'Last event of the session',
    channel        LowCardinality(String) COMMENT 'Marketing channel',
    channel_reason LowCardinality(String) COMMENT 'Evidence for the channel',
    source         LowCardinality(String) COMMENT 'Source',
    medium         LowCardinality(String) COMMENT 'Medium',
    campaign       LowCardinality(String) COMMENT 'Campaign',
    term           String                 COMMENT 'Search term',
    content        String                 COMMENT 'Variant of the ad or link',
    click_id       String                 COMMENT 'Click identifier of an ad network',
    referrer_host  LowCardinality(String) COMMENT 'Host of the page that led here: the site''s own after a silence on it; empty when unknown',
    landing_page   String                 COMMENT 'Path of the first page',
    country        LowCardinality(String) COMMENT 'Country',
    device         LowCardinality(String) COMMENT 'desktop, mobile, tablet, tv, console or empty'
)
AS
SELECT
    project, t.touch_id AS touch_id, t.kind AS kind, s.person AS person, s.identified AS identified, a AS account,
    t.anonymous_id AS anonymous_id, t.timestamp AS timestamp, t.ended AS ended, t.channel AS channel,
    t.channel_reason AS channel_reason, t.source AS source, t.medium AS medium, t.campaign AS campaign, t.term AS term,
    t.content AS content, t.click_id AS click_id, t.referrer_host AS referrer_host, t.landing_page AS landing_page,
    t.country AS country, t.device AS device
FROM subjects_raw AS s FINAL
ARRAY JOIN touches AS t, touch_accounts AS a
WHERE slot = 0
COMMENT 'Touchpoints: starts of sessions, explicit touches and clicks on signed links, one row an interaction';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS conversions AS
SELECT
    project, kind, conversion_id, person, identified, account, timestamp, order_id, conversion_number, amount, refunded, currency,
    value, gross, rated, country
FROM conversions_raw FINAL
WHERE slot = 0
COMMENT 'Conversions: one row an order, or an event where it names no order';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS journeys
(
    project           LowCardinality(String) COMMENT 'Project',
    kind              LowCardinality(String) COMMENT 'Kind of conversion that the journey led to, or could have',
    level             String                 COMMENT 'person: the touches of one person; account: those of all people of an account',
    account           String                 COMMENT 'Account, at level account; empty for a person without one',
    person            String                 COMMENT 'Person; at level account who converted',
    identified        Bool                   COMMENT 'person is a user id',
    state             String                 COMMENT 'converted; null: ended without a conversion; pending: still open at as_of',
    started           DateTime64(3, 'UTC')   COMMENT 'First touch; of a conversion without touches its time',
    ended             DateTime64(3, 'UTC')   COMMENT 'Conversion; or last touch and the inactivity that ended the journey, for pending ones the time it would end',
    conversion_id     String                 COMMENT 'Conversion; empty when there is none',
    conversion_number UInt32                 COMMENT 'conversion_number of the conversion; 0 when there is none',
    value             Decimal(18, 6)         COMMENT 'Value of the conversion',
    gross             Decimal(18, 6)         COMMENT 'Value of the conversion before refunds',
    touches           Array(Tuple(timestamp DateTime64(3, 'UTC'), touch_id String, person String, channel LowCardinality(String), source LowCardinality(String), medium LowCardinality(String), campaign LowCardinality(String), landing_page String, country LowCardinality(String), device LowCardinality(String))) COMMENT 'Touches in order of time; empty for an Unattributed conversion',
    as_of             DateTime64(3, 'UTC')   COMMENT 'Time the states were judged at'
)
AS
WITH current AS (SELECT project, argMax(as_of, run) AS as_of FROM updates WHERE state = 'done' GROUP BY project)
SELECT
    j.project AS project, j.kind AS kind, arrayJoin(if(j.level = 'both', ['person', 'account'], [toString(j.level)])) AS level,
    if(level = 'account', j.account, '') AS account, j.person AS person, j.identified AS identified,
    multiIf(j.conversion_id != '', 'converted', j.ended <= c.as_of, 'null', 'pending') AS state,
    if(empty(j.touches), j.ended, j.touches[1].timestamp) AS started, j.ended AS ended, j.conversion_id AS conversion_id,
    j.conversion_number AS conversion_number, j.value AS value, j.gross AS gross, j.touches AS touches, c.as_of AS as_of
FROM (
    SELECT project, kind, level, account, person, identified, timestamp AS ended, conversion_id, conversion_number, value, gross, touches
    FROM conversions_raw FINAL
    UNION ALL
    SELECT
        s.project, o.kind, s.level, if(s.slot = 0, '', s.account), s.person, s.identified, o.ended, '', o.number, 0, 0,
        arrayMap(t -> (t.timestamp, t.touch_id, t.person, t.channel, t.source, t.medium, t.campaign, t.landing_page, t.country, t.device),
            arraySlice(s.touches, o.first, o.touches))::Array(Tuple(timestamp DateTime64(3, 'UTC'), touch_id String, person String, channel LowCardinality(String), source LowCardinality(String), medium LowCardinality(String), campaign LowCardinality(String), landing_page String, country LowCardinality(String), device LowCardinality(String)))
    FROM subjects_raw AS s FINAL
    ARRAY JOIN open AS o) AS j
INNER JOIN current AS c ON c.project = j.project
COMMENT 'Journeys: the touches that led to a conversion, or to none. One row a journey and level';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS credits
(
    project       LowCardinality(String) COMMENT 'Project',
    kind          LowCardinality(String) COMMENT 'Kind of conversion',
    level         String                 COMMENT 'person or account',
    model         String                 COMMENT 'Attribution model',
    conversion_id String                 COMMENT 'Conversion',
    conversion_number UInt32             COMMENT '1 for the first conversion of this kind by this person, at level account by this account',
    converted     DateTime64(3, 'UTC')   COMMENT 'Time of the conversion',
    account       String                 COMMENT 'Account, at level account; empty for a person without one',
    person        String                 COMMENT 'Person who converted',
    identified    Bool                   COMMENT 'person is a user id',
    touch_id      String                 COMMENT 'Touch; empty for Unattributed',
    position      UInt32                 COMMENT 'Place of the touch in its journey, from 1; 0 for Unattributed',
    touched       DateTime64(3, 'UTC')   COMMENT 'Time of the touch; for Unattributed that of the conversion',
    channel       String                 COMMENT 'Channel of the touch, or Unattributed',
    source        String                 COMMENT 'Source of the touch',
    medium        String                 COMMENT 'Medium of the touch',
    campaign      String                 COMMENT 'Campaign of the touch',
    landing_page  String                 COMMENT 'Path of the first page of the touch',
    country       String                 COMMENT 'Country of the touch',
    device        String                 COMMENT 'Device of the touch: desktop, mobile, tablet, tv, console or empty',
    credit        Decimal(18, 12)        COMMENT 'Share of the conversion; the shares of one conversion and model sum to exactly 1',
    value         Decimal(18, 6)         COMMENT 'Share of the value; the shares of one conversion and model sum to exactly its value'
)
AS
WITH
    toInt64(1000000000000) AS one,
    effects AS (
        SELECT project, kind, level, groupArray(channel) AS channels, groupArray(effect) AS effects
        FROM (SELECT project, kind, level, channel, effect FROM removal_effects ORDER BY project, kind, level, channel)
        GROUP BY project, kind, level
    ),
    leveled AS (
        SELECT *, arrayJoin(if(level = 'both', ['person', 'account'], [toString(level)])) AS at_level
        FROM conversions_raw FINAL
    ),
    -- What rounding leaves over is on the first of the largest shares, of markov as of the others.
    solved AS (
        SELECT
            v.*,
            arrayMap(t -> e.effects[indexOf(e.channels, t.channel)], v.touches) AS weights,
            arraySum(weights) AS weight,
            arrayMap(w -> if(weight > 0, toInt64(floor(w / weight * one)), intDiv(one, greatest(length(v.touches), 1))), weights) AS cut,
            if(empty(v.touches), [one],
                arrayMap((x, i, best, rest) -> x + if(i = best, rest, 0), cut, arrayEnumerate(cut),
                    arrayWithConstant(length(cut), indexOf(cut, arrayMax(cut))), arrayWithConstant(length(cut), one - arraySum(cut)))) AS markov,
            toInt64(v.value * 1000000) AS micros,
            arrayMap(x -> toInt64(intDiv(toInt128(micros) * x, one)), markov) AS parts,
            arrayMap((x, i, best, rest) -> x + if(i = best, rest, 0), parts, arrayEnumerate(parts),
                arrayWithConstant(length(parts), indexOf(markov, arrayMax(markov))),
                arrayWithConstant(length(parts), micros - arraySum(parts))) AS markov_worth
        FROM leveled AS v
        LEFT JOIN effects AS e ON e.project = v.project AND e.kind = v.kind AND e.level = v.at_level
    ),
    touched AS (
        SELECT
            project, kind, at_level, conversion_id, conversion_number, timestamp, account, person, identified,
            empty(touches) AS unattributed, t, place,
            arrayPushBack(models, 'markov') AS all_models, arrayPushBack(c, m) AS all_shares, arrayPushBack(w, n) AS all_worth
        FROM solved
        ARRAY JOIN arrayResize(touches, length(shares)) AS t, shares AS c, worth AS w, markov AS m, markov_worth AS n,
            arrayEnumerate(shares) AS place
    )
SELECT
    project, kind, at_level AS level, model, conversion_id, conversion_number, timestamp AS converted,
    if(at_level = 'account', account, '') AS account, person, identified,
    t.touch_id AS touch_id, if(unattributed, 0, place) AS position,
    if(unattributed, timestamp, t.timestamp) AS touched,
    if(unattributed, 'Unattributed', t.channel) AS channel, t.source AS source, t.medium AS medium, t.campaign AS campaign,
    t.landing_page AS landing_page, t.country AS country, t.device AS device,
    reinterpret(share, 'Decimal(18, 12)') AS credit, reinterpret(part, 'Decimal(18, 6)') AS value
FROM touched
ARRAY JOIN all_models AS model, all_shares AS share, all_worth AS part
COMMENT 'Credit of each touch for each conversion, by model';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS path_stats AS
SELECT project, kind, level, path, conversions, value, nulls
FROM path_stats_raw FINAL
COMMENT 'Paths of channels and what they led to: the input of the models';
-- +goose StatementEnd

-- +goose StatementBegin
CREATE VIEW IF NOT EXISTS channel_credits AS
SELECT project, kind, level, model, dimension, name, day, conversions, value
FROM channel_credits_raw FINAL
COMMENT 'Credit by model, dimension and day; the sums over the names of a dimension equal the conversions';
-- +goose StatementEnd

-- Working tables of the run that is under way. Nobody else reads them, so a run that fails or is killed changes nothing.
-- Those with the name of a table above are what its rows are replaced by.

-- +goose StatementBegin
CREATE DATABASE IF NOT EXISTS touchline_work;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.aliases AS aliases;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.orders AS orders;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.identities_raw AS identities_raw;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.subjects_raw AS subjects_raw;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.conversions_raw AS conversions_raw;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.path_stats_raw AS path_stats_raw;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.channel_credits_raw AS channel_credits_raw;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.removal_effects AS removal_effects;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.transitions AS transitions;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.affected_devices (device_key UInt64) ENGINE = MergeTree ORDER BY device_key;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.affected_users (user_id String) ENGINE = MergeTree ORDER BY user_id;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.affected_persons (person_key UInt64) ENGINE = MergeTree ORDER BY person_key;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.affected_accounts (account String) ENGINE = MergeTree ORDER BY account;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.read_devices (device_key UInt64) ENGINE = MergeTree ORDER BY device_key;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.known_users (user_id String) ENGINE = MergeTree ORDER BY user_id;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.facts
(
    person_key       UInt64,
    person           String,
    identified       Bool,
    device_key       UInt64,
    anonymous_id     String,
    marks            UInt16, -- what the event is: the sum of numbers that FindFacts gives
    message_key      UInt64,
    timestamp        DateTime64(3, 'UTC'),
    client_timestamp DateTime64(3, 'UTC'),
    seq              UInt32,
    ended            DateTime64(3, 'UTC'), -- of the session, if the event opens one
    message_id       String,
    account_id       String,
    link             String,
    channel          LowCardinality(String),
    channel_reason   LowCardinality(String),
    source           LowCardinality(String),
    medium           LowCardinality(String),
    campaign         LowCardinality(String),
    term             String,
    content          String,
    click_id         String,
    referrer_host    LowCardinality(String),
    landing_page     String,
    country          LowCardinality(String),
    device           LowCardinality(String),
    traits           String,
    inherits         String, -- touch of the session that the event falls into, and its time
    inherits_at      DateTime64(3, 'UTC'),
    events           UInt64, -- of the last event of a run of one owner: how many, the first, the latest country and its time
    first_seen       DateTime64(3, 'UTC'),
    latest_country   LowCardinality(String),
    country_at       DateTime64(3, 'UTC')
)
ENGINE = MergeTree ORDER BY person_key;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.device_events AS device_events;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.groups AS subjects_raw ENGINE = MergeTree ORDER BY subject_key;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS touchline_work.shares
(
    subject_key UInt64,
    slot        UInt8,
    kind        LowCardinality(String),
    conversion  UInt32,
    shares      Array(Int64), -- of the first touch under each model, then of the second, and so on
    worth       Array(Int64)
)
ENGINE = MergeTree ORDER BY (subject_key, slot, kind, conversion);
-- +goose StatementEnd
