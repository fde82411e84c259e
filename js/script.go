// Package js holds the browser script. dist/t.js is made of src by esbuild and committed, so that go build needs no
// Node.js; make checks that it is up to date.
package js

import _ "embed" // of the script

// Script is the script as browsers get it.
//
//go:embed dist/t.js
var Script []byte
