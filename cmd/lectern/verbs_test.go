package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		{[]string{"fly"}, "", exitUsage, "fly"},
		{[]string{"run", "--config", bad}, "", exitFailed, "nothing was started"},
		{[]string{"run", "--simulate", "--simulated", "x"}, "", exitUsage, "exclude each other"},
		{[]string{"run", "--listen", "256.0.0.1:1"}, "", exitFailed, "--listen"},
		{[]string{"pin", "1234"}, "", exitDone, "$argon2id$"},
		{[]string{"pin"}, "5678\n", exitDone, "$argon2id$"},
		{[]string{"pin", "12"}, "", exitUsage, "4 to 12 digits"},
		{[]string{"schema"}, "", exitDone, "$schema"},
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
	} {
		code, out, errors := do(t, "", c.words...)
		if code != c.code || !strings.Contains(out+errors, c.says) {
			t.Errorf("%v: exit %d, said %.300q %q", c.words, code, out, errors)
		}
	}
}

func TestSimulateObeysItsCommands(t *testing.T) {
	code, out, errors := do(t, "truth\nfault bus silence\nheal bus\nfault projector flying\nnudge door-lights.power on\nnudge x\nwhat\nquit\n",
		"simulate", "--dir", t.TempDir())
	if code != exitDone || !strings.Contains(out, "door-lights.power = false") || !strings.Contains(errors, "no-lamp") || !strings.Contains(errors, "Commands, one a line") {
		t.Errorf("exit %d\n%s\n%s", code, out, errors)
	}
}
