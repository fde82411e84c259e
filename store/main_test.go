package store_test

import (
	"testing"

	"github.com/touchline-hq/touchline/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
