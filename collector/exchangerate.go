package collector

// ExchangeRate is what one currency was worth in another on a day.
type ExchangeRate struct {
	Day            int32  // after 1970-01-01
	Currency, Base string // ISO 4217
	// Quoted is a decimal number from 1e-9 to 1e9 with at most 18 decimals, none of them a 0 at the end. It is units of Base
	// for one of Currency; with Inverse, units of Currency for one of Base.
	Quoted  string
	Inverse bool
}
