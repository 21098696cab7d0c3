package building

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lectern/devices"
	"lectern/panel/mqtt"
	"lectern/scenes/meeting"
	rooms "lectern/scenes/room"
)

func TestARoomIsSeenAsItIs(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		p := show(t, fileFor(t, v, "hall", "attic"))
		p.stands(t, "hall", Missing)
		h := newHall(t, v, "hall").run(t)
		at := time.Now().Add(-time.Second)
		seen := p.stands(t, "hall", Well)
		if seen.Name != (devices.Phrase{ZH: "第hall会议室", EN: "Room hall"}) || seen.Link != "https://hall.example/staff" || seen.Version != "1.2.3" || seen.Since.Before(at) {
			t.Errorf("%+v", seen)
		}
		h.power("warming")
		h.warm(23.4)
		h.served(mqtt.Service{Phase: meeting.Session, Calls: 1})
		h.rooms.PostStaff(rooms.Staff{Unclosed: 2})
		called := p.stands(t, "hall", Called)
		p.until(t, "all of it", func(all map[string]View, _ Link) bool {
			r := all["hall"]
			return r.Phase == meeting.Session && r.Orders == 2 && r.Calls == 1 && r.Busy() && len(r.Projectors) == 1 && r.Projectors[0] == Projector{"投影机", "warming"} &&
				len(r.Temperatures) == 1 && r.Temperatures[0] == 23.4
		})
		if called.Since.IsZero() {
			t.Error("since when nobody has answered is not told")
		}
		h.served(mqtt.Service{Phase: meeting.Session})
		p.stands(t, "hall", Ordered)
		h.projector.report.Reach(errSilent)
		faulty := p.stands(t, "hall", Faulty)
		p.until(t, "the alert", func(rooms map[string]View, _ Link) bool {
			r := rooms["hall"]
			return r.Offline == 1 && len(r.Alerts) == 1 && r.Alerts[0] == Alert{"投影机", errSilent.Error()} && strings.Contains(r.Error, errSilent.Error())
		})
		if !faulty.Standing.Wants() {
			t.Error("a faulty room wants nobody")
		}
		p.stands(t, "attic", Missing)
		h.stop()
		if gone := p.stands(t, "hall", Stopped); gone.Since.IsZero() || gone.About {
			t.Errorf("it has just stopped: %+v", gone)
		}
	})
}

func TestABrokerThatIsAwayIsToldAndTheRoomsAreLastKnown(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		p := show(t, fileFor(t, v, "hall"))
		newHall(t, v, "hall").run(t)
		p.stands(t, "hall", Well)
		before := time.Now()
		v.kill()
		p.until(t, "the broker is away", func(rooms map[string]View, l Link) bool {
			return !l.Up && !l.Since.Before(before) && l.Error != "" && rooms["hall"].LastKnown && rooms["hall"].Standing == Well
		})
		if s := sumUp(p.board.since(0)); s.Link.Up {
			t.Error("the sums do not know")
		}
		v.start(t)
		p.until(t, "all is known again", func(rooms map[string]View, l Link) bool {
			return l.Up && l.Gathered && !rooms["hall"].LastKnown && rooms["hall"].Standing == Well
		})
	})
}

// A room that left while the page was not there: what the broker keeps of it tells when it last spoke, and
// one that left long ago is told apart from one that is lost. The command that the page shows clears it.
func TestARoomThatWentLongAgoIsGoneAndCanBeCleared(t *testing.T) {
	v := &venue{name: "mosquitto", address: free(t)}
	v.start(t)
	t.Cleanup(func() { v.kill() })
	c := stranger(t, v)
	started := time.Now().Add(-72 * time.Hour).Truncate(time.Second)
	for _, id := range []string{"old", "listed", "fresh"} {
		up, state := "3600", "lost"
		if id == "fresh" {
			up = "255600" // an hour ago
		}
		for topic, payload := range map[string]string{
			"$state": state, "$description": `{"homie":"5.0","version":1,"name":"旧厅","type":"lectern-room","nodes":{}}`,
			"controller/started": started.UTC().Format(time.RFC3339), "controller/uptime": up,
		} {
			done(t, c.Publish("homie/5/"+id+"/"+topic, 1, true, payload))
		}
	}
	p := show(t, fileFor(t, v, "listed"))
	p.until(t, "all is here", func(_ map[string]View, l Link) bool { return l.Gathered })
	old := p.stands(t, "old", Gone)
	if !old.About || !old.Since.Equal(started.Add(time.Hour)) || old.Name.ZH != "旧厅" {
		t.Errorf("%+v", old)
	}
	if listed := p.stands(t, "listed", Lost); !listed.About {
		t.Errorf("a room of a floor is missed: %+v", listed)
	}
	p.stands(t, "fresh", Lost)
	words := strings.Fields(strings.ReplaceAll(p.clearing("old"), "'", ""))
	if out, err := exec.Command(program(t, words[0]), words[1:]...).CombinedOutput(); err != nil && !strings.Contains(string(out), "homie/5/old") && !strings.Contains(string(out), "Timed out") {
		t.Fatalf("%v: %s", err, out)
	}
	p.until(t, "the old room is no more", func(rooms map[string]View, _ Link) bool { return rooms["old"].ID == "" && rooms["fresh"].ID != "" })
}

// What the broker forgot while the page was away is not shown as if it were still so.
func TestWhatWasClearedMeanwhileIsDropped(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		p := show(t, fileFor(t, v))
		c := stranger(t, v)
		say := func(topic, payload string) { done(t, c.Publish("homie/5/hall/"+topic, 1, true, payload)) }
		say("$description", `{"homie":"5.0","version":1,"name":"Hall","type":"lectern-room","nodes":{}}`)
		say("$alert/lamp", "burnt")
		say("$state", "ready")
		p.stands(t, "hall", Faulty)
		v.kill()
		p.until(t, "the broker is away", func(_ map[string]View, l Link) bool { return !l.Up })
		v.start(t)
		p.until(t, "the room is dropped", func(rooms map[string]View, l Link) bool { return l.Gathered && len(rooms) == 0 })
	})
}

var errSilent = errors.New("line bus: no reply in 300ms")

// What a room said before the page came is there as what it says afterwards is.
func TestAPageThatComesLaterSeesTheSame(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h := newHall(t, v, "hall").run(t)
		h.power("on")
		h.served(mqtt.Service{Phase: meeting.Break})
		for range 2 {
			p := show(t, fileFor(t, v, "hall"))
			p.until(t, "all of it", func(rooms map[string]View, l Link) bool {
				r := rooms["hall"]
				return l.Gathered && r.Standing == Well && r.Busy() && len(r.Projectors) == 1 && len(r.Temperatures) == 1 && r.Phase == meeting.Break && r.Version == "1.2.3"
			})
		}
	})
}
