package staff

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	g "maragu.dev/gomponents"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/check"
	"lectern/scenes/ledger"
	"lectern/scenes/maintenance"
	"lectern/scenes/meeting"
)

// hostile is a text that breaks out of a page that takes it as it is; hostileID also one that is a script
// where it begins an address, and another path where it is a part of one.
const (
	hostile   = `"><script>alert(1)</script>`
	hostileID = `javascript:alert(1)//../x?y#z"><script>`
)

var address = regexp.MustCompile(` (?:href|action|formaction|src)="([^"]*)"`)

// shown is a page as a tablet at a path gets it.
func shown(t *testing.T, path string, own content) string {
	t.Helper()
	evil := configs.Name{ZH: hostile, EN: hostile}
	p := &Pages{Config: Config{Cfg: &configs.Room{
		Room: configs.About{Name: evil, Help: hostile}, Devices: []configs.Device{{ID: hostileID, Name: evil}}, Sources: []configs.Source{{ID: hostileID, Name: evil}},
	}, Log: slog.New(slog.DiscardHandler)}, zone: time.UTC, mark: []byte("key")}
	r, w := httptest.NewRequest(http.MethodPost, "/staff", strings.NewReader(url.Values{"who": {hostile}}.Encode())), httptest.NewRecorder()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.URL.Path = path
	pg := page{
		visit: &visit{say: &say{p: p, Lang: "en"}, w: w, r: r}, name: "any", refresh: 30, due: 1,
		tea: &teaDue{ID: hostileID}, work: &maintenance.Window{By: hostile, Note: hostile},
	}
	if p.render(w, http.StatusOK, "any", pg.whole(own)); w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestWhatComesFromOutsideIsShownAsText(t *testing.T) {
	m := meeting.Meeting{ID: hostileID, Title: hostile, Place: hostile, Organizer: hostile, Layout: hostile, Needs: hostile + "\n" + hostile, ByHand: true}
	planned := meeting.Row{Meeting: m, Phase: meeting.Phase(hostile)}
	o := ledger.Order{ID: hostileID, Steps: []ledger.Step{{By: hostile, Device: hostileID, Via: hostile, Text: hostile, State: ledger.State(hostile), To: hostile}}}
	bad := []condition{{ID: hostileID, Name: hostile, State: hostile, Bad: true, Why: hostile, Do: hostile, Detail: hostile}, {ID: hostileID, Order: hostileID}}
	items := []meeting.Item{{Name: devices.Phrase{EN: hostile}, By: hostile}, {Name: devices.Phrase{EN: hostile}}}
	for name, own := range map[string]content{
		"today": todayPage{
			Temperatures: []reading{{Device: hostileID, Text: hostile, Wrong: hostile}}, Lists: []meeting.Checklist{{Meeting: planned, List: meeting.List(hostile), Items: items}},
			Meetings: []card{{Row: planned, Choices: []choice{{Phase: meeting.Phase(hostile)}}, Orders: 1}}, Later: []meeting.Row{planned},
			Calendar: &meeting.FeedHealth{Since: time.Now(), Error: hostile, Unread: 1, Why: hostile},
		}.page,
		"health":  healthPage{Devices: bad, Lines: bad, Lamps: []lampHours{{Device: hostile}}, Used: []usedHours{{Source: hostile}}}.page,
		"check":   checkView{Failed: 1, Empty: true, State: check.State{Ended: time.Now(), By: hostile, Found: []meeting.Found{{Device: hostileID, Result: hostile, Reason: devices.Phrase{EN: hostile}, Detail: hostile, Order: hostileID}}}}.page,
		"work":    workPage{Note: hostile, Wrong: hostile}.page,
		"meeting": formPage{Meeting: m, Wrong: hostile}.page,
		"month":   monthPage{Rows: []row{{hostile, hostile}}, Use: lying(hostile, []named{{hostile, 1, hostile}}), Days: upright(hostile, make([]time.Duration, 9), func(int) string { return hostile }, func(time.Duration) string { return hostile })}.page,
		"orders": ordersPage{
			Orders: []ledger.Order{o}, Devices: []configs.Device{{ID: hostileID}}, States: []ledger.State{ledger.State(hostile)},
			State: hostile, Device: hostileID, Words: hostile, From: hostile, To: hostile, Query: hostile, Symptom: hostile, Wrong: hostile,
		}.page,
		"order": orderPage{
			Order: o, Steps: o.Steps, Picture: []pictureRow{{hostile, hostile, hostile, hostile}}, Text: hostile, To: hostile, Theirs: o.Steps, Wrong: hostile,
			Can: map[string]bool{"assigned": true},
		}.page,
		"records": recordsPage{Records: []meeting.Record{{Row: planned}}}.page,
		"record": recordPage{
			Record: meeting.Record{Row: planned, Faults: []meeting.Span{{What: hostile, Text: hostile}}},
			Lines:  []said{{Who: hostile, What: hostile, Detail: hostile}}, UseSums: []usedHours{{Source: hostileID}}, Orders: []ledger.Order{o},
		}.page,
		"wrong": wrongPage(hostile),
	} {
		text := shown(t, "/staff/orders/"+hostile, own)
		if at := strings.Index(text, "<script"); at >= 0 {
			t.Errorf("%s has a script: %s", name, text[max(0, at-100):])
		}
		for _, m := range address.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1]+"/", "/staff/") || strings.Contains(m[1], "?y") || strings.Contains(m[1], "../") {
				t.Errorf("%s leads to %s", name, m[1])
			}
		}
		if !strings.Contains(text, "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("%s does not show the text at all", name)
		}
	}
}

// An id is one part of a path, whatever a calendar calls its meetings.
func TestAnIDIsOnePartOfAnAddress(t *testing.T) {
	for _, path := range []string{meetingPath(hostileID, "tick"), orderPath(hostileID) + "/tick", recordPath(hostileID) + "/tick"} {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		mux, got := http.NewServeMux(), ""
		mux.HandleFunc("GET /staff/{kind}/{id}/tick", func(_ http.ResponseWriter, r *http.Request) { got = r.PathValue("id") })
		if mux.ServeHTTP(httptest.NewRecorder(), &http.Request{Method: http.MethodGet, URL: u}); got != hostileID {
			t.Errorf("%s leads to %q", path, got)
		}
	}
}

// The table has what the page has.
func TestTheSheetIsOfWhatIsLookedFor(t *testing.T) {
	if text := shown(t, "/staff/orders", ordersPage{Query: "state=fixed&device=lamp"}.page); !strings.Contains(text, `href="/staff/orders.csv?state=fixed&amp;device=lamp"`) {
		t.Error("the sheet is of other orders than the page")
	}
}

func TestAPageThatFailsIsNotSentByHalves(t *testing.T) {
	p, w := &Pages{Config: Config{Log: slog.New(slog.DiscardHandler)}}, httptest.NewRecorder()
	p.render(w, http.StatusOK, "any", g.Group{g.Text("the first half"), g.NodeFunc(func(io.Writer) error { return errors.New("no more") })})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "half") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}
