-- KnownRates: which rates of the wanted days and pairs are there, as they were quoted.
SELECT
    toInt32(toUInt16(day)), toString(currency), toString(base),
    toString(if(quoted = 'rate', rate, inverse)), quoted = 'inverse'
FROM touchline.rates
WHERE (currency, base, day) IN (SELECT currency, base, toDate(day) FROM wanted)
