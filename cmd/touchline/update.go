package main

import (
	"cmp"
	"context"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
)

// updateProject brings the tables of a project up to date and returns the time of the newest event that they speak of:
// zero when there is none. The caller holds the lock.
func updateProject(ctx context.Context, in *installation, p *attribution.Project) (asOf time.Time, err error) {
	u, err := job.Run(ctx, in.db, *p, in.log)
	if err != nil {
		return time.Time{}, err
	}
	return u.AsOf, nil
}

// withLock calls f as soon as no other process computes attribution; waiting is told once who does.
func (in *installation) withLock(ctx context.Context, waiting func(holder string), f func(context.Context) error) error {
	held, release, err := in.lockAttribution(ctx, waiting)
	if err != nil {
		return err
	}
	defer release()
	err = f(held)
	return cmp.Or(context.Cause(held), err)
}
