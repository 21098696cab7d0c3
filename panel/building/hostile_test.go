package building

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"lectern/configs"
	"lectern/devices"
)

// heard is a board to which a test is the broker.
func heard(rooms ...string) *board {
	cfg := &configs.Building{Panel: configs.BuildingPage{Gone: 24 * time.Hour}}
	if len(rooms) > 0 {
		cfg.Floors = []configs.Floor{{Name: configs.Name{EN: "Floor"}}}
		for _, id := range rooms {
			cfg.Floors[0].Rooms = append(cfg.Floors[0].Rooms, configs.ListedRoom{ID: id})
		}
	}
	b := newBoard(cfg, time.Now())
	b.connected(time.Now())
	b.gathering(time.Now())
	return b
}

const plainRoom = `{"homie":"5.0","version":1,"name":"Hall","type":"lectern-room","nodes":{"p":{"name":"Beam","type":"projector"}}}`

func (b *board) says(topic, payload string) {
	b.take("homie/5/"+topic, []byte(payload), false, time.Now())
}

// bounds are what must hold whatever a broker says.
func (b *board) bounds(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	values := 0
	for id, r := range b.rooms {
		values += len(r.values)
		if len(r.values) > valuesMost || len(r.nodes) > nodesMost+1 || len(r.scenes) > nodesMost || !isID(id) {
			t.Errorf("%q holds %d values, %d nodes", id, len(r.values), len(r.nodes))
		}
		v := r.view
		for _, text := range []string{v.Name.ZH, v.Name.EN, v.Source.EN, v.Error, v.Version} {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > textMost+1 || strings.ContainsAny(text, "\r\n\x00\u202e") {
				t.Errorf("%q shows %q", id, text)
			}
		}
		if len(v.Alerts) > listMost || len(v.Scenes) > listMost || len(v.Projectors) > listMost || len(v.Temperatures) > listMost {
			t.Errorf("%q shows too much: %+v", id, v)
		}
	}
	if values != b.values || len(b.rooms) > roomsMost+len(b.floors) || values > boardValues {
		t.Errorf("%d rooms with %d values, counted as %d", len(b.rooms), values, b.values)
	}
}

func TestABrokerCannotFillThePage(t *testing.T) {
	b := heard("listed")
	for i := range 3 * roomsMost {
		b.says(fmt.Sprintf("room-%d/$description", i), plainRoom)
		b.says(fmt.Sprintf("room-%d/$state", i), "ready")
	}
	for i := range 3 * valuesMost {
		b.says(fmt.Sprintf("listed/$alert/lamp-%d", i), strings.Repeat("x", 10*textMost))
	}
	b.says("listed/$state", "ready")
	b.bounds(t)
	n := b.since(0)
	if len(n.Views) != roomsMost+1 || n.Link.LeftOut != roomsMost {
		t.Errorf("%d rooms are shown, %d told as left out", len(n.Views), n.Link.LeftOut)
	}
	if v := n.Views[0]; v.ID != "listed" || v.Standing != Faulty || len(v.Alerts) != listMost || v.More != valuesMost-listMost {
		t.Errorf("a room of a floor has lost its place: %+v", v)
	}
}

func TestWhatIsNoRoomIsDropped(t *testing.T) {
	b := heard()
	for topic, payload := range map[string]string{
		"plug/$description": `{"homie":"5.0","type":"plug","nodes":{}}`, "old/$description": `{"homie":"4.0","type":"lectern-room"}`,
		"bad/$description": `{`, "big/$description": `{"homie":"5.0","type":"lectern-room","name":"` + strings.Repeat("x", descriptionMost) + `"}`,
		"Room 1/$description": plainRoom, "<b>/$description": plainRoom, "none/controller/version": "1",
	} {
		id, _, _ := strings.Cut(topic, "/")
		b.says(topic, payload)
		b.says(id+"/$state", "ready")
	}
	b.says("odd/$description", plainRoom)
	b.says("odd/$state", "flying")
	if n := b.since(0); len(n.Views) != 0 {
		t.Errorf("%+v is shown", n.Views)
	}
	b.bounds(t)
}

func TestNamesAreShownAsText(t *testing.T) {
	cfg := &configs.Building{Building: configs.AboutBuilding{Language: "en"}, Facilities: configs.Watched{Broker: "tcp://127.0.0.1:1"}}
	p, err := New(Config{Cfg: cfg, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	p.board.says("hall/$description", plainRoom)
	p.board.says("hall/service/name-en", "<script>alert(1)</script>\r\ndata: x\u202e")
	p.board.says("hall/$alert/lamp", `"><img src=x onerror=alert(1)>`)
	p.board.says("hall/$state", "ready")
	var sent string
	p.send(func(_, data string) bool { sent = data; return true }, say{p, "en"}, choice{}, p.board.since(0))
	text, err := render(say{p, "en"}.tile(tile{View: p.board.since(0).Views[0]}))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img", "\r", "\u202e"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q stands in %s", bad, text)
		}
	}
	if strings.ContainsAny(sent, "\r\n") || !strings.Contains(text, "alert(1)") {
		t.Errorf("%q", sent)
	}
}

func TestALinkIsOneOfTheWeb(t *testing.T) {
	cfg := &configs.Building{Building: configs.AboutBuilding{Language: "en", Name: configs.Name{EN: `"><script>alert(1)</script>`}}, Facilities: configs.Watched{Broker: "tcp://127.0.0.1:1"}}
	p, err := New(Config{Cfg: cfg, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	s := say{p, "en"}
	for link, leads := range map[string]bool{
		"https://hall.example/staff": true, "http://10.0.0.1/": true, "": false, "javascript:alert(1)": false, "JavaScript:alert(1)": false, " javascript:alert(1)": false,
		"data:text/html,x": false, "//evil.example/": false, `https://x/"><script>alert(1)</script>`: true,
	} {
		text, err := render(s.tile(tile{View: View{ID: "hall", Name: devices.Phrase{EN: "Hall"}, Link: link}}))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "href=") != leads || strings.Contains(text, "<script") || strings.Contains(strings.ToLower(text), "javascript") {
			t.Errorf("%q: %s", link, text)
		}
	}
	text, err := render(s.overview(choice{true, true}, 1, sums{}, nil))
	if err != nil || strings.Contains(text, "<script>") || !strings.Contains(text, `href="/lang?to=zh&amp;by=floor&amp;show=attention"`) {
		t.Errorf("the page breaks, or another language shows other rooms: %v, %s", err, text)
	}
}

// A broker that keeps "ready" of a room whose daemon is long gone: nobody speaks, and the page says so.
func TestARoomThatSaysNothingIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := heard("hall")
		started := time.Now().Add(-48 * time.Hour)
		for topic, payload := range map[string]string{
			"$description": plainRoom, "$state": "ready", "controller/started": started.Format(time.RFC3339), "controller/uptime": "3600",
		} {
			b.take("homie/5/hall/"+topic, []byte(payload), true, time.Now())
		}
		look := func() View { b.tick(time.Now()); return b.since(0).Views[0] }
		time.Sleep(quietAfter + time.Second)
		if v := look(); v.Standing != Well || v.LastKnown {
			t.Errorf("at first: %+v", v)
		}
		for range 4 { // it speaks every minute, for a while
			time.Sleep(time.Minute)
			b.says("hall/controller/uptime", "7200")
		}
		if v := look(); v.Standing != Well {
			t.Errorf("while it speaks: %+v", v)
		}
		time.Sleep(silentAfter + time.Second)
		if v := look(); v.Standing != Silent || !v.About || !v.Since.Equal(started.Add(2*time.Hour).Truncate(time.Second)) {
			t.Errorf("after long silence: %+v", v)
		}
		b.says("hall/controller/uptime", "7260")
		if v := look(); v.Standing != Well {
			t.Errorf("it speaks again: %+v", v)
		}
		b.lost("cut", time.Now())
		time.Sleep(time.Hour)
		if v := look(); v.Standing != Well || !v.LastKnown {
			t.Errorf("nobody could hear it: %+v", v)
		}
		b.connected(time.Now())
		if v := look(); v.Standing != Well {
			t.Errorf("silence while nobody listened: %+v", v)
		}
	})
}

func TestWhoWasAwayTooLongLooksAtEverythingAnew(t *testing.T) {
	b := heard()
	seen := b.since(0).Revision
	for i := range roomsMost + 2 { // one after the other comes and goes
		id := fmt.Sprint("room-", i)
		b.says(id+"/$description", plainRoom)
		b.says(id+"/$state", "ready")
		b.says(id+"/$state", "")
		b.says(id+"/$description", "")
	}
	if n := b.since(seen); !n.Old || len(n.Views) != 0 || len(b.removed) > roomsMost {
		t.Errorf("old %v, %d views, %d kept of what went", n.Old, len(n.Views), len(b.removed))
	}
	if n := b.since(b.since(0).Revision); n.Old || len(n.Removed) != 0 {
		t.Errorf("%+v", n)
	}
	b.bounds(t)
}

func TestARoomThatIsWorkedOnWantsNobody(t *testing.T) {
	b := heard()
	for _, m := range [][2]string{
		{"$description", `{"homie":"5.0","type":"lectern-room","nodes":{"air":{"name":"Air","type":"sensor"}}}`}, {"$state", "ready"},
		{"controller/lines-down", "2"}, {"air/band", "above"}, {"controller/maintenance", "true"}, {"controller/maintenance-until", "2026-11-25T18:00:00Z"},
	} {
		b.says("hall/"+m[0], m[1])
	}
	v := b.since(0).Views[0]
	if v.Standing != Served || v.Standing.Wants() || !v.Until.Equal(time.Date(2026, 11, 25, 18, 0, 0, 0, time.UTC)) || !v.Warm || v.Cold {
		t.Errorf("%+v", v)
	}
	b.says("hall/service/calls", "1")
	if v := b.since(0).Views[0]; v.Standing != Called {
		t.Errorf("somebody calls all the same: %+v", v)
	}
	b.says("hall/service/calls", "0")
	b.says("hall/controller/maintenance", "false")
	if v := b.since(0).Views[0]; v.Standing != Faulty || !v.Until.IsZero() {
		t.Errorf("it is over: %+v", v)
	}
}

func TestANameOfTheFileIsBeforeTheRoomsOwn(t *testing.T) {
	b := heard("hall")
	b.cfg.Floors[0].Rooms[0].Name = configs.Name{ZH: "厅"}
	b.says("hall/service/name-en", "Hall")
	if v := b.since(0).Views[0]; v.Name != (devices.Phrase{ZH: "厅"}) {
		t.Errorf("%+v", v)
	}
}

func FuzzWhatABrokerSays(f *testing.F) {
	f.Add("hall/$description", []byte(plainRoom), "hall/$state", []byte("ready"))
	f.Add("hall/controller/uptime", []byte("9223372036854775807"), "hall/controller/started", []byte("9999-12-31T23:59:59Z"))
	f.Add("hall/air/temperature", []byte("NaN"), "hall/p/power", []byte("on"))
	f.Add("a/$alert/x", []byte("\xff\u202e\r\n"), "a/service/name-zh", []byte(strings.Repeat("字", 500)))
	f.Add("listed/$state", []byte("lost"), "/", []byte{})
	f.Fuzz(func(t *testing.T, topic1 string, payload1 []byte, topic2 string, payload2 []byte) {
		b := heard("listed", "hall")
		for range 2 {
			for _, m := range []struct {
				topic   string
				payload []byte
			}{{topic1, payload1}, {"hall/$description", []byte(plainRoom)}, {topic2, payload2}, {topic1, nil}, {topic2, bytes.ToUpper(payload1)}} {
				b.take("homie/5/"+m.topic, m.payload, len(m.payload)%2 == 0, time.Now())
				b.bounds(t)
			}
			b.lost("x", time.Now())
			b.connected(time.Now())
			b.gathering(time.Now())
			b.tick(time.Now().Add(time.Minute))
			b.bounds(t)
		}
		if b.since(0).Views[0].ID != "listed" {
			t.Error("a room of a floor is not there")
		}
	})
}
