package mqtt

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"lectern/configs"
	"lectern/devices"
)

// retainedBy is what a newcomer finds on a broker below a topic, once it has found all that f knows of.
func retainedBy(t *testing.T, v *venue, root string, f *listener) map[string]string {
	t.Helper()
	newcomer := listen(t, v, root+"/#")
	want := make(map[string]string)
	f.mu.Lock()
	for topic, payload := range f.last {
		if strings.HasPrefix(topic, root+"/") && payload != "" && !strings.HasSuffix(topic, "/$result") && !strings.HasSuffix(topic, "/set") {
			want[topic] = payload
		}
	}
	f.mu.Unlock()
	newcomer.until(t, "all that is retained", func() bool {
		for topic := range want {
			if _, ok := newcomer.last[topic]; !ok {
				return false
			}
		}
		return true
	})
	found := make(map[string]string)
	newcomer.mu.Lock()
	defer newcomer.mu.Unlock()
	for _, h := range newcomer.all {
		if h.retained {
			found[h.topic] = h.payload
		}
	}
	return found
}

func TestTheExampleRoomsKeepTheConvention(t *testing.T) {
	for _, file := range []string{"demo.yaml", "lecture-hall.yaml", "huddle.yaml"} {
		for _, name := range []string{"embedded", "mosquitto"} {
			t.Run(file+" "+name, func(t *testing.T) {
				v := openFor(t, name, strings.TrimSuffix(file, ".yaml"))
				cfg, r, f := example(t, v, file)
				root := "homie/5/" + cfg.Room.ID
				for _, d := range cfg.Devices {
					if d.Mains == "" && d.Kind != "camera" {
						f.says(t, root+"/"+d.ID+"/online", "true")
					}
				}
				set := map[devices.Kind]string{devices.KindBool: "true", devices.KindInteger: "40", devices.KindEnum: "mid"}
				everyProperty(r, func(device string, p devices.Property) {
					if p.Settable && (p.Name == "level" || p.Name == "position" || p.Name == "power" && p.Kind == devices.KindBool) {
						f.publish(t, root+"/"+device+"/"+p.Name+"/set", set[p.Kind], false)
						f.until(t, device+" is set", func() bool {
							results := f.results(root + "/" + device + "/" + p.Name + "/$result")
							return len(results) > 1 || len(results) == 1 && p.Name == "position"
						})
					}
				})
				unknown := func(device, property string) bool {
					p, ok := r.Get(device, property)
					return ok && p.Value.IsZero() || device == scenesNode // a scene that has not run
				}
				// What the room learns while the topics are gathered is seen the next time.
				var faults []string
				for range 20 {
					if faults = faultsOf(root, retainedBy(t, v, root, f), unknown); faults == nil {
						break
					}
				}
				for _, fault := range faults {
					t.Error(fault)
				}
			})
		}
	}
}

// description waits for a description and returns it.
func (l *listener) description(t *testing.T, room string) (d homieDevice) {
	t.Helper()
	l.until(t, "described", func() bool {
		return json.Unmarshal([]byte(l.last["homie/5/"+room+"/$description"]), &d) == nil
	})
	return d
}

func TestTheDescriptionGrowsOnlyWhenItChanges(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		folder := t.TempDir()
		keeping := func(c *Config) { c.Folder = folder }
		h, f := show(t, v, keeping)
		first := f.description(t, "hall")
		if first.Homie != "5.0" || first.Name != "厅" || first.Version == 0 {
			t.Errorf("%+v", first)
		}
		h.stop()
		f.says(t, "homie/5/hall/$state", "disconnected")

		h = newHall(t, v, "hall", keeping).run(t)
		f.says(t, "homie/5/hall/$state", "ready")
		if again := f.description(t, "hall"); again.Version != first.Version {
			t.Errorf("the same room had %d and has %d", first.Version, again.Version)
		}
		h.stop()
		f.says(t, "homie/5/hall/$state", "disconnected")

		h = newHall(t, v, "hall", keeping, func(c *Config) { c.Cfg.Room.Name.ZH = "大厅" }).run(t)
		defer h.stop()
		f.says(t, "homie/5/hall/$state", "ready")
		if other := f.description(t, "hall"); other.Version <= first.Version || other.Name != "大厅" {
			t.Errorf("another room after %d: %+v", first.Version, other)
		}
	})
}

func TestWhatARoomNoLongerHasIsTakenOffTheBroker(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		folder := t.TempDir()
		keeping := func(c *Config) { c.Folder = folder }
		h, f := show(t, v, keeping, func(c *Config) {
			c.Cfg.Scenes = append(c.Cfg.Scenes, configs.Scene{ID: "old", Name: configs.Name{EN: "Old"}})
			c.Cfg.Lines = append(c.Cfg.Lines, configs.Line{ID: "old"})
		})
		h.rooms.PostLine(healthy("old"))
		f.says(t, "homie/5/hall/line-old/up", "true")
		h.stop()
		h = newHall(t, v, "hall", keeping).run(t)
		f.says(t, "homie/5/hall/$state", "ready")
		f.says(t, "homie/5/hall/line-old/up", "")
		for _, fault := range faultsOf("homie/5/hall", retainedBy(t, v, "homie/5/hall", f), func(string, string) bool { return true }) {
			t.Error(fault)
		}
		f.until(t, "Home Assistant is told that the scene is gone, and then not of it", func() bool {
			var shown []discovery
			for _, h := range f.all {
				var d discovery
				if h.topic == "homeassistant/device/lectern-hall/config" && json.Unmarshal([]byte(h.payload), &d) == nil {
					shown = append(shown, d)
				}
			}
			n := len(shown)
			return n >= 3 && len(shown[n-2].Components["scene_old"]) == 1 && shown[n-1].Components["scene_old"] == nil
		})
		h.stop()
	})
}

// What an earlier life of the daemon left on the broker does not outlast its reason.
func TestAlertsAndRunsOfAnEarlierLifeAreTakenBack(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		f := listen(t, v)
		last := newHall(t, v, "hall")
		s := last.gateway.connect(context.Background())
		s.send(message{topic: "homie/5/hall/$alert/spot", payload: []byte("no answer"), qos: 1, retained: true})
		s.send(message{topic: "homie/5/hall/scenes/dim", payload: []byte("running"), qos: 1, retained: true})
		s.client.Disconnect(restTime)
		f.says(t, "homie/5/hall/scenes/dim", "running")
		newHall(t, v, "hall").run(t)
		f.says(t, "homie/5/hall/$state", "ready")
		f.says(t, "homie/5/hall/$alert/spot", "")
		f.says(t, "homie/5/hall/scenes/dim", "")
	})
}

func TestAFaultIsAnAlert(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		h.lamp.report.Reach(errNoAnswer)
		f.says(t, "homie/5/hall/$alert/spot", errNoAnswer.Error())
		f.says(t, "homie/5/hall/spot/online", "false")
		h.lamp.report.Reach(nil)
		f.says(t, "homie/5/hall/$alert/spot", "")
		f.says(t, "homie/5/hall/spot/online", "true")
	})
}
