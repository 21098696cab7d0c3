package meeting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	fetchTime     = 20 * time.Second // for everything, to the last byte
	headerTime    = 10 * time.Second
	redirectsMost = 3
)

// source is where a calendar comes from. It is asked by one goroutine.
type source struct {
	address string // http or https, or a path
	client  *http.Client
	etag    string
	changed string // Last-Modified
}

// errSame says that the calendar is as it was when it was last fetched.
var errSame = errors.New("the calendar has not changed")

func newSource(address string) *source {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: headerTime, TLSHandshakeTimeout: headerTime,
		MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}
	return &source{address: address, client: &http.Client{Transport: transport, Timeout: fetchTime, CheckRedirect: sameHost}}
}

// sameHost follows a redirect on the host that the room file names and nowhere else: what answers there
// must not make the controller ask round in the building's network. From https it leads to https only.
func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	switch {
	case len(before) > redirectsMost:
		return fmt.Errorf("it is redirected more than %d times", redirectsMost)
	case !strings.EqualFold(next.URL.Hostname(), first.Hostname()),
		next.URL.Scheme != "https" && next.URL.Scheme != first.Scheme,
		next.URL.Scheme == first.Scheme && next.URL.Port() != first.Port(),
		next.URL.Scheme != first.Scheme && next.URL.Port() != "" && next.URL.Port() != "443":
		return fmt.Errorf("it has moved to %s://%s; where that is right, write it into the room file", next.URL.Scheme, next.URL.Host)
	}
	return nil
}

// place names where the calendar comes from, without what is secret in its address.
func (s *source) place() string {
	if u, err := url.Parse(s.address); err == nil && u.Host != "" {
		return u.Host
	}
	return s.address
}

// fetch returns the text of the calendar, or errSame.
func (s *source) fetch(ctx context.Context) (string, error) {
	if !strings.HasPrefix(s.address, "http://") && !strings.HasPrefix(s.address, "https://") {
		return s.file()
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address, nil)
	if err != nil {
		return "", fmt.Errorf("fetching the calendar from %s: the address is not right", s.place())
	}
	request.Header.Set("Accept", "text/calendar")
	request.Header.Set("User-Agent", "lectern")
	if s.etag != "" {
		request.Header.Set("If-None-Match", s.etag)
	}
	if s.changed != "" {
		request.Header.Set("If-Modified-Since", s.changed)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		// A url.Error repeats the address, and the address of a private calendar is its key.
		if failed := new(url.Error); errors.As(err, &failed) {
			err = failed.Err
		}
		return "", fmt.Errorf("fetching the calendar from %s: %w", s.place(), err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return "", errSame
	default:
		return "", fmt.Errorf("fetching the calendar from %s: it answers %s", s.place(), answer.Status)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, calendarMost+1)) // of what it unpacks to
	switch {
	case err != nil:
		return "", fmt.Errorf("fetching the calendar from %s: %w", s.place(), err)
	case len(b) > calendarMost:
		return "", fmt.Errorf("fetching the calendar from %s: %w", s.place(), errHuge)
	}
	s.etag, s.changed = answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")
	return string(b), nil
}

// forget makes the next fetch bring the calendar whole, whether or not it has changed.
func (s *source) forget() { s.etag, s.changed = "", "" }

func (s *source) file() (string, error) {
	info, err := os.Stat(s.address)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the calendar: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("reading the calendar %s: it is no file", s.address)
	case info.Size() > calendarMost:
		return "", fmt.Errorf("reading the calendar %s: %w", s.address, errHuge)
	}
	b, err := os.ReadFile(s.address)
	if err != nil {
		return "", fmt.Errorf("reading the calendar: %w", err)
	}
	return string(b), nil
}
