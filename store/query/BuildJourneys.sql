-- BuildJourneys: which touches led to which conversion, of each kind, and which to none. A touch belongs to the next
-- conversion of its subject, if that comes within the lookback; a conversion also inherits the touch of the session it
-- happened in. What is left falls into journeys that end with a silence of {inactivity}. A milestone is the journey's if it
-- was reached after the conversion before and within the lookback; several times: the first.
--
-- All is done in arrays of one subject's doings in order of time: (time, what, place, inherited touch), what being 0 touch, 1 lead,
-- 2 opportunity, 3 conversion, so that of one time touches come first. A stretch ends with a conversion, or is the rest.
-- Most subjects have no conversion, and need not much of it.
INSERT INTO touchline_work.subjects_raw
WITH
    {lookback:Int64} AS lookback,
    {inactivity:Int64} AS inactivity,
    -- the place among the touches of the one that each conversion inherits; 0: none
    inherited AS (
        SELECT
            *,
            arrayConcat(
                arrayMap((t, id, i) -> (t, id, toUInt8(0), i), touches.timestamp, touches.touch_id, arrayEnumerate(touches)),
                arrayMap((t, id, i) -> (t, id, toUInt8(1), i), conversions.inherits_at, conversions.inherits, arrayEnumerate(conversions))) AS places,
            arraySort(places) AS sorted,
            arrayMap(x -> x.2, arraySort(y -> y.1, arrayMap((x, l) -> (x.4, if(l.3 = 0 AND x.2 = l.2, l.4, 0)),
                arrayFilter(x -> x.3 = 1, sorted),
                arrayFilter((l, x) -> x.3 = 1, arrayFill(x -> x.3 = 0, sorted), sorted)))) AS inherits
        FROM touchline_work.groups
        WHERE notEmpty(conversions)
    ),
    doings AS (
        SELECT
            *,
            arrayConcat(
                arrayMap((t, i) -> (toUnixTimestamp64Milli(t), toUInt8(0), i, toUInt32(0)), touches.timestamp, arrayEnumerate(touches)),
                arrayMap((t, m) -> (toUnixTimestamp64Milli(t), m, toUInt32(0), toUInt32(0)), milestones.timestamp, milestones.milestone)) AS done,
            arrayMap((t, k, i, inh) -> (k, (toUnixTimestamp64Milli(t), toUInt8(3), i, toUInt32(inh))),
                conversions.timestamp, conversions.kind, arrayEnumerate(conversions), inherits) AS wins,
            arrayMap(k -> arraySort(arrayConcat(done, arrayMap(w -> w.2, arrayFilter(w -> w.1 = k, wins)))), {kinds:Array(String)}) AS by_kind,
            arrayMap(d -> arrayReverseSplit(x -> x.2 = 3, d), by_kind) AS stretches,
            -- (kind, how many conversions came before, the last of the stretch, the stretch)
            arrayFlatten(arrayMap((k, s) -> arrayMap((x, n) -> (k, n - 1, x[-1], x), s, arrayEnumerate(s)), {kinds:Array(String)}, stretches)) AS parts,
            -- (kind, conversions before, last, what of the stretch led to the conversion, the touches that did not)
            arrayMap(p -> (p.1, p.2, p.3,
                arrayFilter((x, l) -> l.2 = 3 AND l.1 - x.1 < lookback, p.4, arrayResize([p.3], length(p.4), p.3)),
                arrayFilter((x, l) -> x.2 = 0 AND NOT (l.2 = 3 AND l.1 - x.1 < lookback), p.4, arrayResize([p.3], length(p.4), p.3))), parts) AS journeys,
            arrayFilter(j -> j.3.2 = 3, journeys) AS won,
            arrayFilter(j -> notEmpty(j.5), journeys) AS lost
        FROM inherited
    ),
    -- own: the inherited touch is none of the others
    placed AS (
        SELECT
            *,
            arrayMap(j -> (
                    arrayFirst(x -> x.2 = 0, j.4).3, arrayCount(x -> x.2 = 0, j.4),
                    arrayFirstIndex(x -> x.2 = 1, j.4), arrayFirstIndex(x -> x.2 = 2, j.4)), won) AS found,
            arrayMap((j, f) -> (
                    arrayCount(x -> x.2 = 0, arraySlice(j.4, 1, f.3)), arrayCount(x -> x.2 = 0, arraySlice(j.4, 1, f.4))), won, found) AS led_up,
            arrayMap((i, f) -> i > 0 AND (f.2 = 0 OR i < f.1), arrayMap(j -> j.3.4, won), found) AS own,
            arrayMap(j -> arraySplit((x, g) -> g > inactivity, j.5, arrayDifference(arrayMap(x -> x.1, j.5))), lost) AS pieces,
            arrayFlatten(arrayMap((k, n, s) -> arrayMap(o -> (k, n, o), s),
                arrayMap(j -> j.1, lost), arrayMap(j -> j.2, lost), pieces)) AS ended
        FROM doings
    )
SELECT
    * EXCEPT (places, sorted, inherits, done, wins, by_kind, stretches, parts, journeys, won, lost, found, led_up, own, pieces, ended) REPLACE (
        arrayMap((j, f, l, o, i) -> (
                j.1, j.3.3, j.2 + 1, if(f.3 = 0, 0, l.1 + o), if(f.4 = 0, 0, l.2 + o), if(o, i, 0), f.1, f.2),
            won, found, led_up, own, arrayMap(j -> j.3.4, won)) AS led,
        arrayMap(o -> (o.1, o.2, fromUnixTimestamp64Milli(o.3[-1].1 + inactivity, 'UTC'), o.3[1].3, length(o.3)), ended) AS open)
FROM placed
UNION ALL
SELECT
    * EXCEPT (times, pieces) REPLACE (
        [] AS led,
        arrayFlatten(arrayMap(k -> arrayMap(
            o -> (k, toUInt32(0), fromUnixTimestamp64Milli(o[-1].1 + inactivity, 'UTC'), o[1].2, toUInt32(length(o))), pieces), {kinds:Array(String)})) AS open)
FROM (
    SELECT
        *,
        arrayMap(t -> toUnixTimestamp64Milli(t), touches.timestamp) AS times,
        arraySplit((x, g) -> g > inactivity, arrayZip(times, arrayEnumerate(times)), arrayDifference(times)) AS pieces
    FROM touchline_work.groups
    WHERE empty(conversions))
SETTINGS max_insert_threads = 2, min_insert_block_size_rows = 500000, min_insert_block_size_bytes = 1000000000, max_block_size = 8192
