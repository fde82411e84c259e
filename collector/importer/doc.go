// Package importer reads what other systems have recorded and makes events of it. Whatever is read ends in a ledger
// that adds up: nothing is dropped without being counted under a reason.
package importer
