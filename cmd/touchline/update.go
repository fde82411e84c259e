package main

import (
	"context"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/attribution/model"
)

// updateProject brings the tables of a project up to date, for all its kinds of conversion, and returns the time of the
// newest event that they speak of: zero when there is none. The caller holds the lock.
func updateProject(ctx context.Context, in *installation, p *attribution.Project) (asOf time.Time, err error) {
	if asOf, err = in.db.AsOf(ctx, p.ID); err != nil || asOf.IsZero() {
		return asOf, err
	}
	for _, conversion := range p.Conversions {
		report, err := job.Run(ctx, in.db, attribution.Params{
			Project: *p, Conversion: conversion, Models: model.Untimed(), Publish: true,
		}, in.log)
		if err != nil {
			return asOf, err
		}
		asOf = report.AsOf
	}
	return asOf, nil
}
