package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/event"
)

// rowTime is how JSONEachRow has a DateTime64(3, 'UTC').
const rowTime = "2006-01-02 15:04:05.000"

// marshalRow makes of an event a row of events_raw in format JSONEachRow, without what is empty.
func marshalRow(e *event.Event) ([]byte, error) {
	row := map[string]any{
		"client_day": time.Unix(int64(e.ClientDay)*24*60*60, 0).UTC().Format(time.DateOnly),
		"client_key": fmt.Sprint(e.ClientKey),
	}
	for i, s := range words(e) {
		if *s != "" {
			row[wordColumns[i]] = *s
		}
	}
	for i, s := range texts(e) {
		if *s != "" {
			row[textColumns[i]] = *s
		}
	}
	for i, ms := range times(e) {
		row[timeColumns[i]] = time.UnixMilli(*ms).UTC().Format(rowTime)
	}
	for i, b := range bools(e) {
		if *b {
			row[boolColumns[i]] = true
		}
	}
	if e.Seq != 0 {
		row["seq"] = e.Seq
	}
	if e.Value != 0 {
		row["value"] = decimal.New(e.Value, -6).String()
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(row); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// UnmarshalRow reads the payload of an event that the database refused.
func UnmarshalRow(payload string) (event.Event, error) {
	var e event.Event
	var row map[string]any
	decoder := json.NewDecoder(strings.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&row); err != nil {
		return e, fmt.Errorf("payload: %w", err)
	}
	for i, field := range words(&e) {
		*field, _ = row[wordColumns[i]].(string)
	}
	for i, field := range texts(&e) {
		*field, _ = row[textColumns[i]].(string)
	}
	for i, field := range bools(&e) {
		*field, _ = row[boolColumns[i]].(bool)
	}
	err := readNumbers(&e, row)
	return e, err
}

func readNumbers(e *event.Event, row map[string]any) error {
	var errs []error
	for i, field := range times(e) {
		at, err := time.Parse(rowTime, fmt.Sprint(row[timeColumns[i]]))
		*field, errs = at.UnixMilli(), append(errs, err)
	}
	day, err := time.Parse(time.DateOnly, fmt.Sprint(row["client_day"]))
	e.ClientDay, errs = int32(day.Unix()/(24*60*60)), append(errs, err) //nolint:gosec // 4 digits of a year
	_, err = fmt.Sscan(fmt.Sprint(row["client_key"]), &e.ClientKey)
	errs = append(errs, err)
	if seq, ok := row["seq"]; ok {
		_, err = fmt.Sscan(fmt.Sprint(seq), &e.Seq)
		errs = append(errs, err)
	}
	if value, ok := row["value"]; ok {
		d, err := decimal.NewFromString(fmt.Sprint(value))
		if err == nil && (d.Exponent() < -6 || d.Exponent() > 12) { // as marshalRow writes none
			err = errors.New("value is no decimal of six places")
		}
		if errs = append(errs, err); err == nil {
			e.Value = d.Shift(6).IntPart()
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	return nil
}
