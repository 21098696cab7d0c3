package panel

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lectern/configs"
)

// opens reports whether a session may move the lamp.
func (r *rig) opens(cookie string) bool {
	return r.from(wall, http.MethodPost, "/api/v1/devices/lamp/level", `{"value":"low"}`, cookie).Code == http.StatusOK
}

func TestSessionsEndWhenIdleAndWhenTheyAreOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := atRest(t, guarded, func(c *Config) {
			c.Cfg.Panel.Idle = configs.Idle{Lock: time.Hour, Area: 5 * time.Minute, Most: 12 * time.Hour}
		})
		_, cookie := r.types(wall, "main", rightly)
		time.Sleep(59 * time.Minute)
		if !r.opens(cookie) {
			t.Error("closed before it was idle for an hour")
		}
		time.Sleep(time.Hour + time.Second)
		if r.opens(cookie) {
			t.Error("open after an idle hour")
		}
		_, cookie = r.types(wall, "main", rightly, cookie)
		began := time.Now()
		for r.opens(cookie) && time.Since(began) < 24*time.Hour {
			time.Sleep(10 * time.Minute)
		}
		if lasted := time.Since(began); lasted > 12*time.Hour+10*time.Minute || lasted < 12*time.Hour {
			t.Errorf("a busy panel stayed open for %s", lasted)
		}
	})
}

func TestEndMeetingLocksEveryPanel(t *testing.T) {
	r := newRig(t, guarded, func(c *Config) { c.Cfg.Panel.End = "long" })
	_, one := r.types(wall, "main", rightly)
	_, other := r.types("192.168.1.11", "main", rightly)
	if w := r.from(wall, http.MethodPost, "/api/v1/scenes/long", "", one); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if r.opens(one) || r.opens(other) {
		t.Error("a panel is open after the meeting")
	}
}

func TestAChangedPINClosesWhatItOpened(t *testing.T) {
	r, _ := atRest(t, func(c *Config) {
		c.Cfg.Panel.People = []configs.Person{{Name: "Li", PIN: cheap("2222")}, {Name: "Wang", PIN: cheap("3333")}}
	})
	_, li := r.types(wall, "main", "2222")
	_, wang := r.types(wall, "main", "3333")
	p := r.Cfg.Panel
	p.People = []configs.Person{{Name: "Li", PIN: cheap("2222")}, {Name: "Wang", PIN: cheap("4444")}}
	r.Admit(&p)
	if !r.opens(li) || r.opens(wang) {
		t.Errorf("Li, whose PIN stands: %v; Wang, whose PIN was changed: %v", r.opens(li), r.opens(wang))
	}
	if w, _ := r.types(wall, "main", "3333"); w.Code == http.StatusOK {
		t.Error("the old PIN still opens")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := newSessions(configs.Idle{Lock: time.Hour})
	first := s.enter("", areaMain, credential{"main", "hash"})
	for range 2 * sessionsMost {
		s.enter("", areaMain, credential{"main", "hash"})
	}
	if len(s.all) > sessionsMost || s.all[first] != nil {
		t.Errorf("%d sessions, the first still there: %v", len(s.all), s.all[first] != nil)
	}
}

func TestASessionThatSomebodySawBeforeIsWorthNothing(t *testing.T) {
	r, _ := atRest(t, guarded)
	_, planted := r.types(wall, "main", rightly, "Cookie: lectern=planted")
	if strings.HasSuffix(planted, "=planted") || r.opens("Cookie: lectern=planted") {
		t.Error("a session that the server did not make is open")
	}
	r.from(wall, http.MethodDelete, "/api/v1/session", "", planted)
	_, fresh := r.types(wall, "main", rightly, planted)
	if fresh == planted || r.opens(planted) || !r.opens(fresh) {
		t.Error("the session of before the lock is open again")
	}
	_, more := r.types(wall, "system", "271828", fresh)
	if more != fresh || !r.opens(fresh) {
		t.Error("opening the system page took the main page away")
	}
}

func TestTheJournalSaysWho(t *testing.T) {
	r, _ := atRest(t, func(c *Config) {
		c.Cfg.Panel.PINs = map[string]string{"system": cheap("9999")}
		c.Cfg.Panel.People = []configs.Person{
			{Name: "Li", Areas: []string{"main", "system"}, PIN: cheap("2222")}, {Name: "Wang", PIN: cheap("3333")}, {Name: "Zhao", PIN: cheap("3333")},
		}
	})
	for _, c := range []struct{ digits, name string }{{"2222", "Li"}, {"3333", "Wang / Zhao"}} {
		w, cookie := r.types(wall, "main", c.digits)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", c.name, w.Code, w.Body)
		}
		r.opens(cookie)
		for _, e := range r.Journal.Latest(0, 2) { // opened, and moved the lamp
			if e.By.Name != c.name || e.By.Via != "panel" {
				t.Errorf("want %s: %+v", c.name, e)
			}
		}
	}
	_, li := r.types(wall, "main", "2222")
	if w, _ := r.types(wall, "system", "3333", li); w.Code == http.StatusOK {
		t.Error("Wang opens the system page")
	}
	for digits, name := range map[string]string{"2222": "Li", "9999": "system"} {
		r.types(wall, "system", digits, li)
		r.from(wall, http.MethodPost, "/api/v1/devices/rack/level", `{"value":"low"}`, li)
		if e := r.Journal.Latest(0, 1); e[0].By.Name != name || e[0].Device != "rack" {
			t.Errorf("want %s: %+v", name, e)
		}
	}
	if w := r.from(wall, http.MethodGet, "/api/v1/room", ""); !strings.Contains(w.Body.String(), `"areas":["main","system"]`) {
		t.Errorf("%s", w.Body)
	}
}

func TestALockedPanelShowsNoStateWhereTheRoomFileSaysSo(t *testing.T) {
	no := false
	r := newRig(t, guarded, func(c *Config) { c.Cfg.Panel.LockedView = &no })
	main := r.open(t, "main", rightly)
	for _, c := range []struct{ path, hidden string }{
		{"/api/v1/state", "lamp"}, {"/api/v1/automatic", "rain"}, {"/api/v1/room", "lamp"}, {"/metrics", "lectern_"}, {"/readyz", "nothing"},
	} {
		closed, body := r.ask(t, "GET", c.path, "")
		if closed.StatusCode == http.StatusOK && strings.Contains(body, c.hidden) || c.path == "/api/v1/state" && closed.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s to nobody: %d %s", c.path, closed.StatusCode, body)
		}
		for _, header := range []string{main, bearer + "-view"} {
			if open, body := r.ask(t, "GET", c.path, "", header); open.StatusCode != http.StatusOK || c.path != "/readyz" && !strings.Contains(body, c.hidden) {
				t.Errorf("%s to %.20s: %d %s", c.path, header, open.StatusCode, body)
			}
		}
	}
	if _, body := r.ask(t, "GET", "/api/v1/room", ""); !strings.Contains(body, `"locked":true`) || !strings.Contains(body, "厅") {
		t.Errorf("the locked panel does not know what it is called: %s", body)
	}
	next, done := r.stream(t, "/api/v1/events")
	defer done()
	if event, _, hello := next(); event != "hello" || hello["locked"] != true || hello["revision"] != nil {
		t.Errorf("%s %v", event, hello)
	}
	if event, _, data := next(); event != "beat" || len(data) != 1 {
		t.Errorf("%s %v", event, data)
	}
}

// A stream that shows the state ends when its session does.
func TestAStreamEndsWithItsSession(t *testing.T) {
	no := false
	r := newRig(t, guarded, func(c *Config) { c.Cfg.Panel.LockedView = &no })
	main := r.open(t, "main", rightly)
	request, err := http.NewRequest(http.MethodGet, r.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(main, ": ")
	request.Header.Set(name, value)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all := make([]byte, 64<<10)
	n := 0
	for !strings.Contains(string(all[:n]), "event: snapshot") {
		more, err := answer.Body.Read(all[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += more
	}
	r.ask(t, "DELETE", "/api/v1/session", "", main)
	rest := new(strings.Builder)
	buf := make([]byte, 4096)
	for err == nil {
		n, err = answer.Body.Read(buf)
		fmt.Fprintf(rest, "%s", buf[:n])
	}
	if strings.Contains(rest.String(), "event: changes") || strings.Contains(rest.String(), "event: beat") {
		t.Errorf("after the lock: %s", rest)
	}
}

func TestStaffHaveTheirTabletOpenForAsLongAsTheRoomFileSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		who := credential{areaStaff, "hash"}
		a := &access{pins: map[string][]credential{areaStaff: {who}, areaSystem: {who}}}
		s := newSessions(configs.Idle{Lock: time.Hour, Area: 5 * time.Minute, Staff: 4 * time.Hour, Most: 12 * time.Hour})
		id := s.enter("", areaStaff, who)
		id = s.enter(id, areaSystem, who)
		time.Sleep(4*time.Hour - time.Second)
		open := s.open(id, a, false)
		if _, ok := open[areaStaff]; !ok {
			t.Error("the staff area closed before its time")
		}
		if _, ok := open[areaSystem]; ok {
			t.Error("the system area stayed open with it")
		}
		time.Sleep(2 * time.Second)
		if open := s.open(id, a, false); len(open) > 0 {
			t.Errorf("open after its time: %v", open)
		}
	})
}
