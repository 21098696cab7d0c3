package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The rows of the work instruction, on the demo room: what is asked over the API, the bytes that
// reach the wire, and the state that comes back. Each row starts a room of its own.

func demo(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	return open(t, example("demo.yaml"))
}

// powered is the demo with its rack on.
func powered(t *testing.T) *house {
	t.Helper()
	h := demo(t)
	if run := h.play("system-on"); run.State != "finished" {
		t.Fatalf("system-on: %+v", run)
	}
	h.until("everything answers", func() bool { status, _ := h.call(http.MethodGet, "/readyz", ""); return status == http.StatusOK })
	return h
}

// projecting is the demo with the projector on.
func projecting(t *testing.T) *house {
	t.Helper()
	h := powered(t)
	h.set("projector.power", "on", "done", "accepted")
	h.says("projector.power", "on")
	return h
}

func sequencer(channel int, on bool) string {
	return fmt.Sprintf("5B B5 01 16 00 00 00 %02X %02X AA", map[bool]int{true: 1}[on], channel)
}

func TestA4SystemPowerOnSwitchesTheRackInOrder(t *testing.T) {
	h := demo(t)
	e := h.listen("rack")
	run := h.play("system-on")
	if run.State != "finished" || len(run.Steps) != 6 {
		t.Errorf("%+v", run)
	}
	h.hears(e, sequencer(1, true), sequencer(2, true), sequencer(3, true), sequencer(4, true), sequencer(5, true), sequencer(6, true))
	for _, c := range []string{"matrix", "player", "recorder", "computers", "projector", "amplifier"} {
		h.says("rack-"+c+".power", true)
		h.truly("rack-"+c+".power", "true")
	}
}

func TestA4SystemPowerOnWantsTheButtonHeld(t *testing.T) {
	h := demo(t)
	finger := h.finger()
	finger.open("main", "1234")
	finger.open("system", "5678")
	e := h.listen("rack")
	if status, _ := finger.post("/api/v1/scenes/system-on", `{}`); status != http.StatusConflict {
		t.Errorf("a tap: %d", status)
	}
	hold := finger.hold("system-on")
	if status, body := finger.post("/api/v1/scenes/system-on", `{"hold":"`+hold+`"}`); status != http.StatusConflict || !strings.Contains(body, "按住2秒") {
		t.Errorf("released at once: %d %s", status, body)
	}
	if strings.Contains(string(e.heard()), string(wireBytes(sequencer(1, true)))) {
		t.Error("the rack moved")
	}
}

func TestA5SystemPowerOffReversesAndCoolsTheProjectorFirst(t *testing.T) {
	h := projecting(t)
	rack, beam := h.listen("rack"), h.listen("projector")
	cut := h.set("rack-projector.power", false, "refused")
	if !strings.Contains(cut, "must cool down") {
		t.Errorf("cutting the mains of a burning lamp: %s", cut)
	}
	if run := h.play("system-off"); run.State != "finished" {
		t.Errorf("%+v", run)
	}
	h.hears(beam, "PWR OFF\r")
	h.hears(rack, sequencer(6, false), sequencer(5, false), sequencer(4, false), sequencer(3, false), sequencer(2, false), sequencer(1, false))
	h.truly("projector.power", "off")
	h.truly("rack-projector.power", "false")
	if run := h.play("system-on"); run.State != "finished" {
		t.Errorf("and on again: %+v", run)
	}
}

func TestA6AllLightsOnAndOff(t *testing.T) {
	h := demo(t)
	lights := []string{"door-lights", "wall-lights", "window-lights"}
	for scene, want := range map[string][2]string{"lights-on": {"true", "100"}, "lights-off": {"false", "0"}} {
		if run := h.play(scene); run.State != "finished" {
			t.Errorf("%+v", run)
		}
		for _, l := range lights {
			h.says(l+".power", want[0])
			h.truly(l+".power", want[0])
		}
		for i := range 4 {
			h.truly(fmt.Sprintf("spot-%d.percent", i+1), want[1])
		}
	}
}

func TestA7SpotlightsHaveFourLevelsAndOff(t *testing.T) {
	h := demo(t)
	for i := range 4 {
		name := fmt.Sprintf("spot-%d", i+1)
		for _, level := range []struct {
			word    string
			percent int
		}{{"low", 25}, {"mid", 50}, {"high", 75}, {"full", 100}, {"off", 0}} {
			e := h.listen("bus")
			h.set(name+".level", level.word)
			h.says(name+".level", level.word)
			h.truly(name+".percent", fmt.Sprint(level.percent))
			h.hears(e, fmt.Sprintf("03 06 00 %02X 00 %02X", i, level.percent))
		}
	}
}

func TestA8LightsOnAndOff(t *testing.T) {
	h := demo(t)
	for coil, name := range []string{"door-lights", "wall-lights", "window-lights"} {
		for _, on := range []bool{true, false} {
			e := h.listen("bus")
			h.set(name+".power", on)
			h.says(name+".power", on)
			h.truly(name+".power", fmt.Sprint(on))
			h.hears(e, fmt.Sprintf("01 05 00 %02X %02X 00", coil, map[bool]int{true: 0xFF}[on]))
		}
	}
}

func TestA9CurtainsGoUpStopAndDown(t *testing.T) {
	h := demo(t)
	for i, name := range []string{"door-curtain", "rear-curtain", "floor-curtain"} {
		e := h.listen("bus")
		h.set(name+".motion", "up")
		h.set(name+".motion", "stop")
		h.says(name+".motion", "stop")
		h.truly(name+".motion", "stop")
		h.set(name+".motion", "down")
		h.says(name+".position", 0)
		h.truly(name+".position", "0")
		h.hears(e, fmt.Sprintf("55 12 %02X 03 01", i+1), fmt.Sprintf("55 12 %02X 03 03", i+1), fmt.Sprintf("55 12 %02X 03 02", i+1))
	}
}

func TestA10CurtainGoesToHeight(t *testing.T) {
	h := demo(t)
	for i, name := range []string{"door-curtain", "rear-curtain", "floor-curtain"} {
		e := h.listen("bus")
		h.set(name+".position", 40, "done", "accepted")
		h.says(name+".position", 40)
		h.says(name+".motion", "stop")
		h.truly(name+".position", "40")
		h.hears(e, fmt.Sprintf("55 12 %02X 03 04 28", i+1))
	}
}

func TestA11ProjectorOnOffAndTheScreenFollows(t *testing.T) {
	h := powered(t)
	beam, bus := h.listen("projector"), h.listen("bus")
	h.set("projector.power", "on", "done", "accepted")
	h.says("projector.power", "on")
	h.truly("projector.power", "on")
	h.hears(beam, "PWR ON\r")
	h.says("screen.position", 0)
	h.says("screen.motion", "stop")                        // which is said when the relay has been let go
	h.hears(bus, "02 05 00 01 FF 00", "02 05 00 01 00 00") // down, and let go at the end
	h.set("projector.power", "off", "done", "accepted")
	h.says("projector.power", "off")
	h.truly("projector.power", "off")
	h.hears(beam, "PWR ON\r", "PWR OFF\r")
	h.says("screen.position", 100)
	h.hears(bus, "02 05 00 01 FF 00", "02 05 00 00 FF 00")
}

func TestA12SourcesAreChosen(t *testing.T) {
	h := projecting(t)
	for input, source := range []string{"dvd", "recorder", "computer1", "computer2", "computer3"} {
		e := h.listen("matrix")
		h.set("sources.selected", source)
		h.says("sources.selected", source)
		h.says("projector.input", "hdmi1")
		h.truly("matrix.1", fmt.Sprint(input+1))
		h.hears(e, fmt.Sprintf("%d*1!", input+1))
	}
}

func TestA13VolumeOfTheComputers(t *testing.T) {
	h := powered(t)
	for i, name := range []string{"sound-computer1", "sound-computer2"} {
		e := h.listen("matrix")
		h.set(name+".volume", 60)
		h.says(name+".volume", 60)
		h.truly(name+".volume", "60")
		h.set(name+".mute", true)
		h.truly(name+".mute", "true")
		h.hears(e, fmt.Sprintf("\x1bD%d*", 2*i+1), fmt.Sprintf("\x1bD%d*1GRPM", 2*i+2))
		if refused := h.set(name+".volume", 86, "refused", ""); !strings.Contains(refused, "85") {
			t.Errorf("above the limit: %s", refused)
		}
	}
}

func TestA14DVDPlaysWhileAnotherSourceStays(t *testing.T) {
	h := projecting(t)
	h.set("sources.selected", "computer1")
	for _, c := range []struct{ transport, wire string }{{"play", "#PLA\r"}, {"forward", "#FWD\r"}, {"back", "#REV\r"}, {"stop", "#STP\r"}} {
		e := h.listen("player")
		h.set("dvd.transport", c.transport)
		h.says("dvd.transport", c.transport)
		h.truly("dvd.transport", c.transport)
		h.hears(e, c.wire)
	}
	e := h.listen("player")
	h.set("dvd.volume", 55)
	h.truly("dvd.volume", "55")
	h.hears(e, "#SVL 55\r")
	h.says("sources.selected", "computer1")
	h.picture("dvd")
}

func TestA15RecorderPlaysWhileAnotherSourceStays(t *testing.T) {
	h := projecting(t)
	h.set("sources.selected", "computer2")
	for _, c := range []struct{ transport, wire string }{{"play", "play\r\n"}, {"forward", "play: speed: 400\r\n"}, {"back", "play: speed: -400\r\n"}, {"stop", "stop\r\n"}} {
		e := h.listen("recorder")
		h.set("recorder.transport", c.transport)
		h.says("recorder.transport", c.transport)
		h.truly("recorder.transport", c.transport)
		h.hears(e, c.wire)
	}
	h.set("sound-recorder.volume", 35)
	h.truly("sound-recorder.volume", "35")
	h.says("sources.selected", "computer2")
	h.picture("recorder")
}

func TestA16DVDAndRecorderGoToTheScreen(t *testing.T) {
	h := projecting(t)
	for input, source := range []string{"dvd", "recorder"} {
		e := h.listen("matrix")
		h.set("sources.selected", source)
		h.says("sources.selected", source)
		h.truly("matrix.1", fmt.Sprint(input+1))
		h.hears(e, fmt.Sprintf("%d*1!", input+1))
	}
}
