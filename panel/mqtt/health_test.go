package mqtt

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"lectern/devices/line"
)

var errNoAnswer = errors.New("line bus, unit 3: no reply in 300ms")

func healthy(id string) line.Health { return line.Health{Line: id, Up: true, Since: time.Now()} }

func TestTheControllerTellsHowItIs(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		f.says(t, "homie/5/hall/controller/version", "test")
		f.says(t, "homie/5/hall/controller/lines-down", "0")
		f.says(t, "homie/5/hall/controller/devices-offline", "0")
		f.says(t, "homie/5/hall/controller/last-error", "\x00")
		f.says(t, "homie/5/hall/controller/unanswered", "0")
		f.until(t, "uptime and start", func() bool {
			at, err := time.Parse(time.RFC3339, f.last["homie/5/hall/controller/started"])
			return err == nil && time.Since(at) < time.Minute && homieInteger.MatchString(f.last["homie/5/hall/controller/uptime"])
		})
		broken := healthy("bus")
		broken.Up, broken.Error = false, "opening /dev/ttyUSB0: no such file"
		broken.Units = []line.UnitHealth{{Unit: "3", Silent: true, Error: "no reply", Exchanges: 7}, {Unit: "4"}}
		h.rooms.PostLine(broken)
		f.says(t, "homie/5/hall/line-bus/up", "false")
		f.says(t, "homie/5/hall/line-bus/error", broken.Error)
		f.says(t, "homie/5/hall/$alert/line-bus", "line is down: "+broken.Error)
		f.until(t, "its units", func() bool {
			var units []unitHealth
			_ = json.Unmarshal([]byte(f.last["homie/5/hall/line-bus/units"]), &units)
			return slices.Equal(units, []unitHealth{{"3", true, "no reply"}, {"4", false, ""}})
		})
		f.says(t, "homie/5/hall/controller/lines-down", "1")
		f.says(t, "homie/5/hall/controller/last-error", "line bus: "+broken.Error)
		h.lamp.report.Reach(errNoAnswer)
		f.says(t, "homie/5/hall/controller/devices-offline", "1")
		f.says(t, "homie/5/hall/controller/last-error", "device spot: "+errNoAnswer.Error())
		h.rooms.PostLine(healthy("bus"))
		h.lamp.report.Reach(nil)
		f.says(t, "homie/5/hall/controller/lines-down", "0")
		f.says(t, "homie/5/hall/line-bus/error", "\x00")
		f.says(t, "homie/5/hall/$alert/line-bus", "")
		f.says(t, "homie/5/hall/controller/last-error", "device spot: "+errNoAnswer.Error()) // it was the last
	})
}
