package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lectern/devices/recording"
)

// do runs the program with the given words and returns its exit code and what it printed.
func do(t *testing.T, in string, words ...string) (code int, out, errors string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), words, terminal{strings.NewReader(in), &o, &e})
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "room.yaml")
	if err := os.WriteFile(bad, []byte("room: {id: x, colour: red}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words []string
		in    string
		code  int
		says  string
	}{
		{[]string{"version"}, "", exitDone, "lectern "},
		{[]string{"version", "--json"}, "", exitDone, `"version"`},
		{[]string{"--help"}, "", exitDone, "simulate"},
		{[]string{"check", example("demo.yaml")}, "", exitDone, "good"},
		{[]string{"check", bad}, "", exitFailed, `unknown key "colour"`},
		{[]string{"check", bad, "--json"}, "", exitFailed, `"faults"`},
		{[]string{"check", "nothing.yaml"}, "", exitFailed, "nothing.yaml"},
		{[]string{"check"}, "", exitUsage, "FILE"},
		{[]string{"check", example("examples/script-hdmi-matrix.yaml"), "--replay", example("examples/script-hdmi-matrix.rec")}, "", exitDone, "input 2"},
		{[]string{"check", example("examples/script-hs08r.yaml"), "--replay", example("examples/script-hdmi-matrix.rec")}, "", exitFailed, "no scripted device hangs on line"},
		{[]string{"check", example("examples/script-hdmi-matrix.yaml"), "--replay", bad}, "", exitFailed, "line 1"},
		{[]string{"check", example("examples/script-hdmi-matrix.yaml"), "--replay", "nothing.rec"}, "", exitFailed, "opening the recording"},
		{[]string{"check", bad, bad, "--replay", bad}, "", exitUsage, "one room file"},
		{[]string{"trace", "--record", "x.rec", "--token", "x"}, "", exitUsage, "name the line"},
		{[]string{"trace", "a", "--record", bad, "--token", "x"}, "", exitFailed, "beginning the recording"},
		{[]string{"fly"}, "", exitUsage, "fly"},
		{[]string{"run", "--config", bad}, "", exitFailed, "nothing was started"},
		{[]string{"run", "--simulate", "--simulated", "x"}, "", exitUsage, "exclude each other"},
		{[]string{"run", "--listen", "256.0.0.1:1"}, "", exitFailed, "--listen"},
		{[]string{"building"}, "", exitUsage, "--config"},
		{[]string{"building", "--config", bad}, "", exitFailed, "nothing was started"},
		{[]string{"building", "--config", example("building/building.yaml"), "--listen", "0.0.0.0:0"}, "", exitFailed, "everybody knows"},
		{[]string{"check", example("building/building.yaml")}, "", exitDone, "the page of a building"},
		{[]string{"schema", "--building"}, "", exitDone, "Lectern building file"},
		{[]string{"pin", "1234"}, "", exitDone, "$argon2id$"},
		{[]string{"pin"}, "5678\n", exitDone, "$argon2id$"},
		{[]string{"pin", "12"}, "", exitUsage, "4 to 12 digits"},
		{[]string{"probe"}, "", exitUsage, "--port"},
		{[]string{"probe", "bus", "--address", "127.0.0.1:502"}, "", exitUsage, "--port"},
		{[]string{"probe", "bus", "--units", "0-9"}, "", exitUsage, "1-247"},
		{[]string{"probe", "bus", "--registers", "200"}, "", exitUsage, "125"},
		{[]string{"probe", "bus", "--driver", "nothing"}, "", exitUsage, "modbus-coil"},
		{[]string{"probe", "--address", "nowhere"}, "", exitUsage, "host:port"},
		{[]string{"probe", "--port", "/dev/null", "--kind", "tcp"}, "", exitUsage, "--address"},
		{[]string{"probe", "nothing"}, "", exitFailed, "there is bus, rack"},
		{[]string{"probe", "rack"}, "", exitFailed, "plugged in"},
		{[]string{"probe", "--address", "127.0.0.1:1"}, "", exitFailed, "refused"},
		{[]string{"probe", "--search", "--address", "127.0.0.1:1", "--local", "127.0.0.1:0", "--for", "1ms"}, "", exitFailed, "class 2"},
		{[]string{"schema"}, "", exitDone, "$schema"},
		{[]string{"guide"}, "", exitDone, "### 3.4 窗帘操作"},
		{[]string{"guide", "--lang", "en", "--html", "--config", example("huddle.yaml")}, "", exitDone, "<!doctype html>"},
		{[]string{"guide", "--lang", "fr"}, "", exitUsage, "zh"},
		{[]string{"guide", "--config", bad}, "", exitFailed, "colour"},
		{[]string{"set", "nodot", "1", "--token", "x"}, "", exitUsage, "DEVICE.PROPERTY"},
		{[]string{"state", "--token", "x", "--address", "http://127.0.0.1:1"}, "", exitFailed, "is it running"},
		{[]string{"journal", "--since", "yesterday", "--token", "x"}, "", exitUsage, "24h"},
		{[]string{"state", "--data", "/nowhere"}, "", exitFailed, "found no token"},
	} {
		code, out, errors := do(t, c.in, c.words...)
		if code != c.code || !strings.Contains(strings.ToLower(out+errors), strings.ToLower(c.says)) {
			t.Errorf("%v: exit %d, said %q %q", c.words, code, out, errors)
		}
	}
}

func TestVerbsTalkToARunningRoom(t *testing.T) {
	h := demo(t)
	at := func(words ...string) []string { return append(words, "--address", h.url, "--token", h.secret) }
	for _, c := range []struct {
		words []string
		code  int
		says  string
	}{
		{at("set", "door-lights.power", "on"), exitDone, "done"},
		{at("set", "door-lights.power", "on", "--json"), exitDone, `"outcome": "done"`},
		{at("set", "door-lights.power", "half"), exitFailed, "true or false"},
		{at("set", "dor-lights.power", "on"), exitFailed, "there is"},
		{at("state", "door-lights"), exitDone, "true"},
		{at("state", "--json"), exitDone, `"revision"`},
		{at("scene", "lights-off"), exitDone, "finished"},
		{at("scene", "lights-off", "--json"), exitDone, `"finished"`},
		{at("scene", "nothing"), exitFailed, "no scene"},
		{at("scene", "lights-off", "--cancel"), exitFailed, "not running"},
		{at("trace", "bus", "--last"), exitDone, "write coil 0 on"},
		{at("trace", "bus", "--last", "--json"), exitDone, `"hex"`},
		{at("trace", "nothing", "--last"), exitFailed, "no such line"},
		{at("trace", "--last", "--text", "write coil 0 ON"), exitDone, "write coil 0 on"},
		{at("trace", "--last", "--text", "01 05 00 00 FF 00"), exitDone, "write coil 0 on"},
		{at("trace", "--last", "--dir", "event"), exitDone, "open"},
		{at("trace", "--last", "--dir", "sideways"), exitUsage, "tx"},
	} {
		code, out, errors := do(t, "", c.words...)
		if code != c.code || !strings.Contains(out+errors, c.says) {
			t.Errorf("%v: exit %d, said %.300q %q", c.words, code, out, errors)
		}
	}
}

// The filters of the trace go together; what is left out is left out.
func TestATraceShowsWhatIsAskedFor(t *testing.T) {
	h := demo(t)
	at := func(words ...string) []string {
		return append(words, "--last", "--address", h.url, "--token", h.secret)
	}
	h.set("door-lights.power", true)
	_, out, _ := do(t, "", at("trace", "bus", "--unit", "1", "--dir", "tx")...)
	if !strings.Contains(out, "write coil 0 on") {
		t.Errorf("the write is not there:\n%s", out)
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) < 4 || f[1] != "bus" || f[2] != "tx" || f[3] != "1" {
			t.Errorf("not to unit 1: %q", line)
		}
	}
	if _, out, _ = do(t, "", at("trace", "rack")...); !strings.Contains(out, " tx ") || strings.Contains(out, " bus ") {
		t.Errorf("the rack's line:\n%s", out)
	}
	h.fault("rack", "silence")
	h.until("a question without an answer", func() bool {
		_, out, _ = do(t, "", at("trace", "--errors")...)
		return strings.Contains(out, "no reply")
	})
	if strings.Contains(out, " tx ") || strings.Contains(out, " rx ") {
		t.Errorf("among the errors:\n%s", out)
	}
}

// A trace that follows prints what comes, once, and ends when it is told to.
func TestATraceFollowsTheWires(t *testing.T) {
	h := demo(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	read, write := io.Pipe()
	var over sync.WaitGroup
	var code int
	over.Go(func() {
		code = run(ctx, []string{"trace", "bus", "--text", "write coil", "--json", "--address", h.url, "--token", h.secret}, terminal{strings.NewReader(""), write, io.Discard})
		_ = write.Close()
	})
	lines := bufio.NewScanner(read)
	for _, want := range []string{"write coil 1 on", "write coil 1 off"} {
		h.set("wall-lights.power", strings.HasSuffix(want, "on"))
		if !lines.Scan() || !strings.Contains(lines.Text(), want) || !strings.Contains(lines.Text(), `"dir":"tx"`) {
			t.Errorf("want %s, read %q", want, lines.Text())
		}
	}
	cancel()
	over.Wait()
	if code != exitDone {
		t.Errorf("exit %d", code)
	}
}

// A line that a daemon holds is left to it; when it has ended, what hangs on the line is found.
func TestProbeLeavesALineToTheDaemonThatHoldsIt(t *testing.T) {
	h := demo(t)
	port := h.cast.Endpoints.Lines["rack"]
	code, out, errors := do(t, "", "probe", "--port", port, "--driver", "hs08r")
	if code != exitFailed || out != "" || !strings.Contains(errors, "in use by another program") || !strings.Contains(errors, "stop it first") {
		t.Errorf("exit %d, said %q %q", code, out, errors)
	}
	h.stop()
	code, out, errors = do(t, "", "probe", "--port", port, "--driver", "hs08r", "--json")
	if code != exitDone || !strings.Contains(out, `"protocol":"HS-08R"`) || !strings.Contains(out, `"unit":"unit 1"`) || !strings.Contains(errors, "asking for HS-08R") {
		t.Errorf("exit %d, said %q %q", code, out, errors)
	}
}

func TestARecordingOfARunningRoomIsARecording(t *testing.T) {
	h := demo(t)
	path := filepath.Join(t.TempDir(), "bus.rec")
	if code, _, said := do(t, "", "set", "door-lights.power", "on", "--address", h.url, "--token", h.secret); code != exitDone {
		t.Fatal(said)
	}
	if code, _, said := do(t, "", "trace", "bus", "--last", "--record", path, "--address", h.url, "--token", h.secret); code != exitDone {
		t.Fatal(said)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rec, err := recording.Read(file)
	if err != nil || rec.Line != "bus" || len(rec.Entries) < 2 || rec.Entries[0].Dir != "event" || rec.Entries[1].Dir != "tx" || len(rec.Entries[1].Bytes) == 0 {
		t.Errorf("%+v, %v", rec, err)
	}
}

func TestAWrongReadingFailsTheReplay(t *testing.T) {
	good, err := os.ReadFile(example("examples/script-hdmi-matrix.rec"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "wrong.rec")
	if err := os.WriteFile(path, bytes.Replace(good, []byte("= input 2"), []byte("= input 1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, said := do(t, "", "check", example("examples/script-hdmi-matrix.yaml"), "--replay", path)
	if code != exitFailed || !strings.Contains(out, "WRONG") || !strings.Contains(said, "1 replies were not read") {
		t.Errorf("exit %d, said %q %q", code, out, said)
	}
}

func TestSimulateObeysItsCommands(t *testing.T) {
	for _, c := range []struct{ line, says string }{
		{"truth", "door-lights.power = false"},
		{"truth door-lights", "door-lights.power = false"},
		{"truth nothing", `nothing is known of "nothing"; there is door-curtain`},
		{"fault bus silence", "bus: silence"},
		{"list", "At work: rack late=1ms"},
		{"list", "jammed"},
		{"list x", "list takes no word"},
		{"fault projector no-lamp", "projector: no-lamp"}, // a line has the same name, and no lamp
		{"fault projector flying", "this projector takes nak, no-lamp"},
		{"fault nowhere silence", `no line and no simulated device "nowhere"; there is bus`},
		{"fault bus", "fault takes where and what"},
		{"heal rack", "rack: healed"},
		{"heal", "nothing to heal"},
		{"heal a b", "heal takes one"},
		{"nudge door-lights.power on", "door-lights.power: true"},
		{"nudge door-lights.colour red", `door-lights has no "colour"`},
		{"nudge door-lights", "nudge takes a property and a value"},
		{"nudge x on", "write DEVICE.PROPERTY"},
		{"nudge x.power on", `no simulated device "x"`},
		{"help", "somebody at the equipment itself"},
		{"what", "what is no command; there is list"},
	} {
		code, out, errors := do(t, c.line+"\nquit\n", "simulate", "--dir", t.TempDir(), "--fault", "rack=late=1ms")
		if strings.HasPrefix(c.line, "heal") && c.says == "nothing to heal" {
			code, out, errors = do(t, c.line+"\nquit\n", "simulate", "--dir", t.TempDir())
		}
		if code != exitDone || !strings.Contains(out+errors, c.says) {
			t.Errorf("%s: exit %d\n%s\n%s", c.line, code, out, errors)
		}
	}
	if code, _, errors := do(t, "", "simulate", "--dir", t.TempDir(), "--fault", "rack"); code != exitUsage || !strings.Contains(errors, "WHERE=NAME") {
		t.Errorf("a fault without a name: exit %d %q", code, errors)
	}
}

// A fault stays until it is healed, and healing alone heals everything.
func TestFaultsOfSimulatedEquipmentAreHealedTogether(t *testing.T) {
	_, out, errors := do(t, "fault bus silence\nfault projector no-lamp\nfault projector garbage\nlist\nheal\nlist\nquit\n", "simulate", "--dir", t.TempDir())
	for _, want := range []string{"At work: bus silence\n", "At work: projector garbage no-lamp\n", "bus: healed\n", "projector: healed\n", "No fault is at work.\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s%s", want, out, errors)
		}
	}
}
