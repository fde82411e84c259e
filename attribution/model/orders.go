package model

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/touchline-hq/touchline/attribution"
)

// AutoOrder is the order of Markov that predicts journeys best which it has not seen: see CompareOrders.
const AutoOrder = -1

// OrderFit says how well chains of an order fit the journeys.
type OrderFit struct {
	Order  int
	States int
	// AUC is the area under the ROC curve when journeys are told apart by how often those converted that ended in the same
	// state: the chance that one that converted scores higher than one that did not. 0.5 is no better than chance, and what
	// it is where there is only one kind.
	AUC float64
	// PenalizedAUC is AUC less what states alone bring: 1 − (1−AUC)(n−1)/(n−p−1) for n journeys and p combinations of
	// channels in a state, as in choose_order of the R package ChannelAttribution. It is 0 where it would not be from 0 to
	// 1, or the combinations are no fewer than the paths.
	PenalizedAUC float64
	// Likelihood is the mean logarithm of the probability of a journey, its outcome included, among the paths held out.
	// Every fifth path is, by a hash of its channels' names; the probabilities come from the others. Unlike AUC it is not of
	// journeys that were learnt from, so more states do not make it better by themselves. It is 0 where nothing is held out.
	Likelihood float64
}

// CompareOrders returns the fit of each order from 1 to MaxOrder. The error is about more channels than a chain can have.
func CompareOrders(paths *attribution.Paths) ([]OrderFit, error) {
	if err := checkChannels(paths); err != nil {
		return nil, err
	}
	held := holdOut(paths)
	fits := make([]OrderFit, MaxOrder)
	var orders sync.WaitGroup
	for i := range fits {
		orders.Go(func() {
			order := i + 1
			ch := newChain(paths, order)
			auc := ch.auc()
			fits[i] = OrderFit{order, len(ch.states), auc, penalize(auc, paths, order), likelihood(paths, held, order)}
		})
	}
	orders.Wait()
	return fits, nil
}

// BestByAUC is the lowest order with the highest penalized AUC.
func BestByAUC(fits []OrderFit) int {
	return best(fits, func(f OrderFit) float64 { return f.PenalizedAUC })
}

// BestByLikelihood is the lowest order with the highest likelihood. It is what AutoOrder means.
func BestByLikelihood(fits []OrderFit) int {
	return best(fits, func(f OrderFit) float64 { return f.Likelihood })
}

func best(fits []OrderFit, by func(OrderFit) float64) int {
	return slices.MaxFunc(fits, func(a, b OrderFit) int { return cmp.Compare(by(a), by(b)) }).Order
}

// auc is as in OrderFit.
func (ch *chain) auc() float64 {
	type score struct{ rate, conversions, nulls float64 }
	var scores []score
	for s, ended := range ch.ended {
		if all := ended.Conversions + ch.nulls[s]; all > 0 {
			scores = append(scores, score{ended.Conversions / all, ended.Conversions, ch.nulls[s]})
		}
	}
	slices.SortStableFunc(scores, func(a, b score) int { return cmp.Compare(a.rate, b.rate) })
	var below, conversions, won float64 // nulls that score less than a conversion, conversions, pairs that conversions win
	for len(scores) > 0 {
		same := score{rate: scores[0].rate}
		for ; len(scores) > 0 && scores[0].rate == same.rate; scores = scores[1:] {
			same.conversions += scores[0].conversions
			same.nulls += scores[0].nulls
		}
		won += same.conversions * (below + same.nulls/2)
		below += same.nulls
		conversions += same.conversions
	}
	if below == 0 || conversions == 0 {
		return 0.5
	}
	return won / (conversions * below)
}

// penalize is as in OrderFit.
func penalize(auc float64, paths *attribution.Paths, order int) float64 {
	combinations := 1.0 // of so many channels, each any number of times
	for i := range order {
		combinations *= float64(len(paths.Channels)+i) / float64(i+1)
	}
	combinations = math.Round(combinations)
	if combinations >= float64(len(paths.Rows)) {
		return 0
	}
	n := paths.Conversions + paths.Nulls
	penalized := 1 - (1-auc)*(n-1)/(n-combinations-1)
	if !(penalized >= 0 && penalized <= 1) {
		return 0
	}
	return penalized
}
