package collector

import "errors"

// RefusedError says that the database blames the events of an insert: it will never take all of them, and has stored
// none. Every other error is trouble that passes.
type RefusedError struct {
	Reason string // as in Entry
	Detail string // what the database said
}

func (e *RefusedError) Error() string { return e.Detail }

// InsertByHalves stores what the database takes of items. While the error of insert is a *RefusedError, it is called again
// with each half, down to a single item, which goes to refuse. Any other error ends it. A half's token follows from the
// whole's, so that the same halving after a crash inserts nothing twice.
func InsertByHalves[T any](
	token string, items []T, insert func(token string, items []T) error, refuse func(item T, why *RefusedError) error,
) error {
	if len(items) == 0 {
		return nil
	}
	err := insert(token, items)
	var why *RefusedError
	if !errors.As(err, &why) {
		return err
	}
	if len(items) == 1 {
		return refuse(items[0], why)
	}
	half := len(items) / 2
	if err := InsertByHalves(token+"/0", items[:half], insert, refuse); err != nil {
		return err
	}
	return InsertByHalves(token+"/1", items[half:], insert, refuse)
}
