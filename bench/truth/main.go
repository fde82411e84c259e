// Command truth measures how far each model of attribution is from what channels have really caused, with people whose
// way to decide is known, and says which models are closest and where they are wrong.
//
//	go run ./bench/truth
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/touchline-hq/touchline/bench/run"
)

func main() {
	seeds := flag.Int("seeds", 5, "each of them other people")
	people := flag.Int("people", 100_000, "of each generator and seed")
	flag.Parse()
	if *seeds < 1 || *people < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "truth: -seeds and -people must be 1 or more, and nothing may follow the flags")
		os.Exit(2)
	}
	os.Exit(run.Main("truth", func(ctx context.Context) error {
		results, err := measure(ctx, *seeds, *people)
		if err != nil {
			return err
		}
		fmt.Printf("truth: %d seeds, %s people each\n\n", *seeds, run.Number(float64(*people)))
		for _, r := range results {
			if err := r.print(os.Stdout); err != nil {
				return err
			}
		}
		return nil
	}))
}
