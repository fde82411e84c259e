package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthCommand is what a container's health check runs.
type healthCommand struct {
	URL string `help:"Address to ask." default:"http://127.0.0.1:8080/readyz"`
}

func (c *healthCommand) Run(ctx context.Context) error {
	status, body, err := get(ctx, c.URL)
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("%s answers %d: %s", c.URL, status, body)
	}
	_, err = fmt.Println(body)
	return err
}

// get asks an address and returns the status and the beginning of the answer.
func get(ctx context.Context, url string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, strings.TrimSpace(string(text)), err
}
