package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// tongue is the command line as it is promised: what each verb takes, and the flags that its help names.
var tongue = []struct{ verb, takes, flags string }{
	{"run", "", "config listen data simulate simulated speed verbose"},
	{"building", "", "config listen data verbose"},
	{"check", "FILE...", "json replay"},
	{"simulate", "", "config dir speed fault"},
	{"state", "[FILTER]", "address data token json"},
	{"set", "DEVICE.PROPERTY VALUE", "address data token json"},
	{"scene", "NAME", "address data token cancel json"},
	{"reload", "", "address data token json"},
	{"journal", "", "address data token since device scene csv json"},
	{"bench", "[PART...]", "repeats"},
	{"trace", "[LINE]", "address data token unit dir text errors last json record"},
	{"guide", "", "config lang html"},
	{"probe", "[LINE]", "config port address kind baud format driver all units registers timeout search for json"},
	{"pin", "[PIN]", ""},
	{"schema", "", "building"},
	{"version", "", "json"},
}

// named are what the pattern finds in a help.
func named(help, pattern string) (names []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(help, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestHelpListsTheVerbsInTheirOrder(t *testing.T) {
	var want []string
	for _, v := range tongue {
		want = append(want, v.verb)
	}
	for _, word := range []string{"--help", "-h"} {
		code, out, errors := do(t, "", word)
		if got := named(out, `(?m)^  (\w+) +[A-Z]`); code != exitDone || errors != "" || !slices.Equal(got, want) {
			t.Errorf("%s: exit %d, %q, lists %v", word, code, errors, got)
		}
	}
}

// The verbs run in parallel, under the race detector: a command line keeps nothing in the process.
func TestHelpOfAVerbNamesWhatItTakes(t *testing.T) {
	for _, v := range tongue {
		t.Run(v.verb, func(t *testing.T) {
			t.Parallel()
			code, out, errors := do(t, "", v.verb, "--help")
			if code != exitDone || errors != "" {
				t.Errorf("exit %d, %q", code, errors)
			}
			usage := strings.TrimSpace("Usage: lectern "+v.verb+" "+v.takes) + " [flags]\n"
			if !strings.Contains(out, usage) {
				t.Errorf("it lacks %q:\n%s", usage, out)
			}
			if got, want := named(out, `(?m)^  (?:    |-., )--(\S+)`), append(strings.Fields(v.flags), "help"); !slices.Equal(got, want) {
				t.Errorf("names %v, want %v", got, want)
			}
			if code, also, _ := do(t, "", v.verb, "-h"); code != exitDone || also != out {
				t.Errorf("-h: exit %d\n%s", code, also)
			}
		})
	}
}

func TestHelpTellsDefaultsAndNoSecret(t *testing.T) {
	t.Setenv("LECTERN_ADDRESS", "http://room.example")
	t.Setenv("LECTERN_TOKEN", "not-for-the-screen")
	for verb, tells := range map[string][]string{
		"run":      {`--listen ADDR `, `(default "127.0.0.1:8080")`, "-v, --verbose", "(default 1)"},
		"simulate": {"(default ./simulated)", "--fault WHERE=NAME"},
		"state":    {`(default "http://127.0.0.1:8080")`, "$LECTERN_ADDRESS", "$LECTERN_TOKEN"},
		"probe":    {"(default 200ms)", "(default 30s)", `(default "1-247")`, "(default 16)"},
		"journal":  {`(default "24h")`},
		"bench":    {"(default 3)"},
	} {
		_, out, _ := do(t, "", verb, "--help")
		for _, want := range tells {
			if !strings.Contains(out, want) {
				t.Errorf("%s lacks %q:\n%s", verb, want, out)
			}
		}
		if strings.Contains(out, "not-for-the-screen") || strings.Contains(out, "room.example") {
			t.Errorf("%s tells what the environment has:\n%s", verb, out)
		}
	}
}

func TestWrongUseSaysWhatWouldBeRightAndDoesNothing(t *testing.T) {
	for _, c := range []struct {
		words string
		says  string
		try   string
	}{
		{"fly", `there is no verb "fly"`, "lectern"},
		{"statee --json", `there is no verb "statee"; did you mean state?`, "lectern"},
		{"sc", `there is no verb "sc"; did you mean set or scene or schema?`, "lectern"},
		{"fly --help", `there is no verb "fly"`, "lectern"},
		{"help", `there is no verb "help"`, "lectern"},
		{"completion bash", `there is no verb "completion"`, "lectern"},
		{"__complete r", `there is no verb "__complete"`, "lectern"},
		{"room.yaml", `there is no verb "room.yaml"; to run a room file: lectern run --config room.yaml`, "lectern"},
		{"--help --fast", "lectern has no flag --fast", "lectern"},
		{"--lisen :1", "run has no flag --lisen; did you mean --listen?", "lectern run"},
		{"--speed 2 room.yaml", "run takes no words, and was given room.yaml; a file goes after --config", "lectern run"},
		{"-v state", "run takes no words, and was given state", "lectern run"},
		{"--json state", "run has no flag --json", "lectern run"},
		{"guide --lng zh", "guide has no flag --lng; did you mean --lang?", "lectern guide"},
		{"trace --floor x", "trace has no flag --floor", "lectern trace"},
		{"version -x", "version has no flag -x", "lectern version"},
		{"set a.b -5", "set has no flag -5; a word that begins with - goes after --", "lectern set"},
		{"check", "check takes FILE..., and was given nothing", "lectern check"},
		{"scene", "scene takes NAME, and was given nothing", "lectern scene"},
		{"set a.b", "set takes DEVICE.PROPERTY VALUE, and was given a.b", "lectern set"},
		{"state a b", "state takes [FILTER], and was given a b", "lectern state"},
		{"version x", "version takes no words, and was given x", "lectern version"},
		{"building", "give the building file: --config FILE", "lectern building"},
		{"run --config", "flag needs an argument: --config", "lectern run"},
		{"trace bus --record --last", "--record --last: name a file or a folder; one that begins with - is ./--last", "lectern trace"},
		{"guide --lang fr", "--lang fr: write zh or en", "lectern guide"},
		{"trace --dir up", "--dir up: write tx, rx, noise, event or error", "lectern trace"},
		{"probe --port x --kind udp", "--kind udp: write serial, tcp or modbus-tcp", "lectern probe"},
		{"run --speed fast", "--speed fast: write a number", "lectern run"},
		{"run --simulate=maybe", "--simulate maybe: write true or false", "lectern run"},
		{"bench --repeats 1.5", "--repeats 1.5: write a whole number", "lectern bench"},
		{"probe bus --baud 9600,x", "--baud 9600,x: write whole numbers, with commas between", "lectern probe"},
		{"probe bus --timeout 5", "--timeout 5: write a length of time, such as 200ms or 30s", "lectern probe"},
		{"run --simulate --simulated x", "--simulate and --simulated exclude each other", "lectern run"},
	} {
		code, out, errors := do(t, "", strings.Fields(c.words)...)
		if want := "lectern: " + c.says + "\nTry " + c.try + " --help.\n"; code != exitUsage || out != "" || errors != want {
			t.Errorf("%s: exit %d, printed %q, said\n%swant\n%s", c.words, code, out, errors, want)
		}
	}
}

// Without a verb it is run, with its flags. Where nobody is at home, it goes no further than that.
func TestTheDefaultVerbIsRun(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("STATE_DIRECTORY", "")
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, c := range []struct {
		words []string
		says  string
	}{
		{nil, " with --"}, // port 8080 may be taken
		{[]string{"-v", "--listen", "127.0.0.1:0"}, "with --data"},
		{[]string{"--listen", "256.0.0.1:1"}, "serving the panel: "},
		{[]string{"--listen=127.0.0.1:0", "--config", nowhere}, nowhere},
		{[]string{"--config=" + nowhere, "--simulate", "--speed", "3"}, "nothing was started"},
	} {
		if code, out, errors := do(t, "", c.words...); code != exitFailed || out != "" || !strings.Contains(errors, c.says) {
			t.Errorf("%v: exit %d, %q, %q", c.words, code, out, errors)
		}
	}
	if _, out, _ := do(t, "", "--listen", "127.0.0.1:0", "--help"); !strings.Contains(out, "Usage: lectern run [flags]") {
		t.Errorf("help among the flags of run:\n%s", out)
	}
}

func TestVerbsTakeWhatTheEnvironmentHasUnlessTold(t *testing.T) {
	t.Setenv("LECTERN_ADDRESS", "http://127.0.0.1:1")
	t.Setenv("LECTERN_TOKEN", "x")
	if code, _, said := do(t, "", "state"); code != exitFailed || !strings.Contains(said, "http://127.0.0.1:1/") {
		t.Errorf("exit %d, %s", code, said)
	}
	if code, _, said := do(t, "", "state", "--address", "http://127.0.0.1:2"); code != exitFailed || !strings.Contains(said, "http://127.0.0.1:2/") {
		t.Errorf("exit %d, %s", code, said)
	}
	if code, _, said := do(t, "", "state", "--token=", "--data", "/nowhere"); code != exitFailed || !strings.Contains(said, "found no token") {
		t.Errorf("exit %d, %s", code, said)
	}
}

func TestVerbsReadRepeatedFlags(t *testing.T) {
	var p probeVerb
	if err := p.command(terminal{}).ParseFlags(strings.Fields("--baud 9600,19200 --baud 1200 --driver hs08r,pjlink --driver nec")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Baud, []int{9600, 19200, 1200}) || !slices.Equal(p.Driver, []string{"hs08r", "pjlink", "nec"}) {
		t.Errorf("%v %v", p.Baud, p.Driver)
	}
	if p.Units != "1-247" || p.Registers != 16 || p.Timeout != 200*time.Millisecond || p.For != 30*time.Second || p.Local != ":4352" {
		t.Errorf("defaults: %+v", p)
	}
	var s simulateVerb
	if err := s.command(terminal{}).ParseFlags(strings.Fields("--fault a=late=1ms,x --fault b=c")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Fault, []string{"a=late=1ms,x", "b=c"}) {
		t.Errorf("%v", s.Fault)
	}
}

// A path holds in any folder; one in the home of who asks is found without a shell.
func TestVerbsReadPaths(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	home, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"room.yaml": filepath.Join(folder, "room.yaml"), "../x": filepath.Join(filepath.Dir(folder), "x"), "/x/y": "/x/y",
		"~/x": filepath.Join(home.HomeDir, "x"), "a,b": filepath.Join(folder, "a,b"), "": folder,
	} {
		var v runVerb
		if err := v.command(terminal{}).ParseFlags([]string{"--config", given}); err != nil || v.Config != want {
			t.Errorf("%q: %q, %v", given, v.Config, err)
		}
		if absolute(given) != want {
			t.Errorf("%q: %q", given, absolute(given))
		}
	}
	var s simulateVerb
	if s.command(terminal{}); s.Dir != filepath.Join(folder, "simulated") {
		t.Errorf("the default of --dir: %q", s.Dir)
	}
	if _, _, said := do(t, "", "check", "a.yaml", "b.yaml"); !strings.Contains(said, filepath.Join(folder, "a.yaml")) || !strings.Contains(said, filepath.Join(folder, "b.yaml")) {
		t.Error(said)
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
