package configs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the files that tests compare with; read the difference before you commit it")

// compare holds what a test got against a file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("against %s (-want +got):\n%s", file, diff)
	}
}

// files lists the files of testdata with the pattern; a pattern without files is a slip.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no files: %v", pattern, err)
	}
	return names
}

// TestBadFilesSayWhatIsWrong loads every bad-RULE.yaml and compares all that is said of it with the
// .want beside it.
func TestBadFilesSayWhatIsWrong(t *testing.T) {
	for _, name := range files(t, "bad-*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			room, err := Load(name, catalogue(), env)
			var faults Faults
			if room != nil || !errors.As(err, &faults) {
				t.Fatalf("loaded, with the error %v", err)
			}
			compare(t, strings.TrimSuffix(name, ".yaml")+".want", strings.ReplaceAll(faults.Error()+"\n", "testdata/", ""))
		})
	}
}

func TestGoodFilesLoad(t *testing.T) {
	for _, name := range files(t, "good-*.yaml") {
		if _, err := Load(name, catalogue(), env); err != nil {
			t.Error(err)
		}
	}
}

func TestExamplesLoadWithoutFaultsOrWarnings(t *testing.T) {
	names, err := fs.Glob(Examples, "*.yaml")
	if err != nil || len(names) != 3 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		faults, warnings := Check(name, catalogue(), env)
		for _, f := range append(faults, warnings...) {
			t.Error(f)
		}
	}
	name, data := Demo()
	if room, err := Parse(name, data, catalogue(), env); err != nil || room.Room.ID != "demo" {
		t.Errorf("the embedded demo room: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	for _, name := range files(t, "warn-*.yaml") {
		faults, warnings := Check(name, catalogue(), env)
		if faults != nil {
			t.Errorf("%s has faults:\n%v", name, faults)
		}
		compare(t, strings.TrimSuffix(name, ".yaml")+".want", strings.ReplaceAll(warnings.Error()+"\n", "testdata/", ""))
	}
}

// Two names of one port are seen where the port is there.
func TestTwoNamesOfOnePortAreTwoMasters(t *testing.T) {
	folder := t.TempDir()
	port, name := filepath.Join(folder, "ttyUSB0"), filepath.Join(folder, "by-id")
	if err := errors.Join(os.WriteFile(port, nil, 0o600), os.Symlink(port, name)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "room.yaml")
	text := fmt.Sprintf("room: {id: good, language: en, name: {en: Good}}\nlines:\n  - {id: a, kind: serial, port: %s}\n  - {id: b, kind: serial, port: %s}\npanel: {pins: {main: \"${PIN}\"}}\n", port, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	hash := "$argon2id$v=19$m=19456,t=2,p=1$cj42vh3lQuoH75fbkFEdWw$I0s186jGu3tTdGqHpstcKGy5ZvrltvzipBjO/UZtLag"
	faults, warnings := Check(file, catalogue(), func(string) (string, bool) { return hash, true })
	want := file + `:4:33: lines "a" and "b" are both ` + port + ` here: two masters on one wire; put what hangs on both on one line`
	if faults != nil || warnings.Error() != want {
		t.Errorf("faults %v\ngot  %v\nwant %s", faults, warnings, want)
	}
}

func TestTheLoadOfALineIsReckoned(t *testing.T) {
	for name, want := range map[string][]LineLoad{
		"demo.yaml":         {{Line: "bus", Baud: 9600, Percent: 23, Least: true}},
		"lecture-hall.yaml": {{Line: "curtains", Baud: 9600, Percent: 19, Least: true}},
		"huddle.yaml":       nil, // nothing serial
	} {
		room, err := Load(name, catalogue(), env)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Loads(room, catalogue())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTenFaultsAreReportedAtOnce(t *testing.T) {
	_, err := Load("testdata/bad-ten-faults.yaml", catalogue(), env)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 10 {
		t.Fatalf("%d faults:\n%v", len(faults), err)
	}
	lines := make(map[int]bool)
	for _, f := range faults {
		lines[f.Line] = true
	}
	if len(lines) != 10 {
		t.Errorf("ten faults in ten lines, but found in %d:\n%v", len(lines), err)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	room, err := Load("testdata/good-bare.yaml", catalogue(), env)
	if err != nil {
		t.Fatal(err)
	}
	device := func(id string) Device {
		for _, d := range room.Devices {
			if d.ID == id {
				return d
			}
		}
		t.Fatalf("no device %s", id)
		return Device{}
	}
	screen, projector, sensor := device("screen"), device("projector"), device("temperature")
	got := map[string]any{
		"language": room.Room.Language, "theme": room.Panel.Theme.Mode,
		"sleep": room.Panel.Idle.Sleep, "lock": room.Panel.Idle.Lock, "area": room.Panel.Idle.Area,
		"baud": room.Lines[0].Baud, "format": room.Lines[0].Format, "baud of tcp": room.Lines[1].Baud,
		"screen area": screen.Area, "screen poll": screen.Poll, "dead time": screen.DeadTime,
		"transition": *projector.Transition, "projector poll": projector.Poll, "code": projector.Inputs[0].Code,
		"dead time of a projector": projector.DeadTime,
		"unit":                     sensor.Unit, "on": room.Sources[0].On,
		"failure": room.Scenes[0].OnFailure, "restart": room.Scenes[0].OnRestart, "scene area": room.Scenes[0].Area,
		"within": room.Scenes[0].Steps[0].Within, "undo": room.Scenes[0].Steps[0].Undo == nil,
		"step failure": room.Scenes[0].Steps[0].OnFailure,
	}
	want := map[string]any{
		"language": "zh", "theme": "sky", "sleep": 3 * time.Minute, "lock": time.Hour, "area": 5 * time.Minute,
		"baud": 9600, "format": "8N1", "baud of tcp": 0,
		"screen area": "main", "screen poll": time.Second, "dead time": 500 * time.Millisecond,
		"transition":     Transition{Warm: 30 * time.Second, Cool: 90 * time.Second, Meanwhile: "queue"},
		"projector poll": 2 * time.Second, "code": "hdmi1", "dead time of a projector": time.Duration(0),
		"unit": "°C", "on": "sources", "failure": "stop", "restart": "leave", "scene area": "main",
		"within": 10 * time.Second, "undo": true, "step failure": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestSettingsAreDecodedForTheBuilder(t *testing.T) {
	name, data := Demo()
	room, err := Parse(name, data, catalogue(), env)
	if err != nil {
		t.Fatal(err)
	}
	if got := room.Devices[1].Settings; !cmp.Equal(got, &registerSettings{Unit: 3, Stride: 1, Channel: 1}) {
		t.Errorf("spot-2: %+v", got)
	}
	for _, d := range room.Devices {
		if d.Relays != nil {
			if got := d.Relays.Down.Settings; !cmp.Equal(got, &coilSettings{Unit: 2, Coil: 1}) {
				t.Errorf("relay down of %s: %+v", d.ID, got)
			}
		}
	}
	if room.Devices[1].Pos != (Pos{37, 5}) {
		t.Errorf("spot-2 stands at %v", room.Devices[1].Pos)
	}
}

func TestPeopleAndTheWebSideOfThePanelAreRead(t *testing.T) {
	room, err := Load("testdata/good-people.yaml", catalogue(), env)
	if err != nil {
		t.Fatal(err)
	}
	p := room.Panel
	if len(p.People) != 2 || !cmp.Equal(p.People[1].Areas, []string{"main"}) || !strings.HasPrefix(p.People[1].PIN, "$argon2id$") {
		t.Errorf("people: %+v", p.People)
	}
	if p.Viewable() || p.TLS == nil || !p.TLS.Self || len(p.Hosts) != 2 || p.Idle.Most != 8*time.Hour {
		t.Errorf("%+v", p)
	}
	if room, err = Load("testdata/good-bare.yaml", catalogue(), env); err != nil {
		t.Fatal(err)
	}
	if p := room.Panel; !p.Viewable() || p.LockedView == nil || p.TLS != nil || p.Idle.Most != 12*time.Hour {
		t.Errorf("left out: %+v", p)
	}
}

// A certificate is no secret and a pair of files is not made by hand, so the pair here ends soon by itself.
func TestACertificateThatEndsSoonIsWarnedOf(t *testing.T) {
	for left, want := range map[time.Duration]bool{40 * 24 * time.Hour: false, 29 * 24 * time.Hour: true, -time.Hour: true} {
		folder := t.TempDir()
		writePair(t, folder, time.Now().Add(left))
		file := filepath.Join(folder, "room.yaml")
		text := "room: {id: good, name: {zh: 好, en: Good}}\npanel: {pins: {main: \"${PIN}\"}, tls: {cert: cert.pem, key: key.pem}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		hash := "$argon2id$v=19$m=19456,t=2,p=1$7JmLeILhi/K4QPR5roMJzg$BehssU/svFZ7kM9uqs5pV1D/AvzGrVbiAnbL2q6RBg4"
		faults, warnings := Check(file, catalogue(), func(string) (string, bool) { return hash, true })
		if faults != nil || strings.Contains(warnings.Error(), "ends on") != want {
			t.Errorf("%s left: faults %v, warnings %v", left, faults, warnings)
		}
	}
}

// writePair writes a certificate that ends at a time, and its key.
func writePair(t *testing.T, folder string, ends time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.Add(-100 * 24 * time.Hour), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEmptyUndoIsKept(t *testing.T) {
	room, err := Load("testdata/good-forms.yaml", catalogue(), env)
	if err != nil {
		t.Fatal(err)
	}
	if undo := room.Scenes[0].Steps[0].Undo; undo == nil || len(undo) != 0 {
		t.Errorf("undo: [] became %#v", undo)
	}
}

func TestSecretsAreFetched(t *testing.T) {
	room, err := Load("testdata/good-secrets.yaml", catalogue(), env)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{
		room.Panel.Tokens[0].Secret, room.Panel.Tokens[1].Secret, room.Facilities.Password,
		room.Devices[0].Settings.(*passwordSettings).Password, fmt.Sprint(room.Devices[0].With["password"]),
		room.Room.Help,
	}
	want := []string{"0123456789-0123456789", "abcdefghij-abcdefghij", "panasonic", "panasonic", "panasonic", "${PASSWORD}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(room.Panel.PINs["main"], "$argon2id$") {
		t.Errorf("the PIN from a file: %q", room.Panel.PINs["main"])
	}
}

func TestFaultsDoNotShowSecrets(t *testing.T) {
	for _, name := range files(t, "bad-*.yaml") {
		_, err := Load(name, catalogue(), env)
		for _, secret := range []string{"swordfish", "918273", "panasonic"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: a fault shows the secret %s:\n%v", name, secret, err)
			}
		}
	}
}

func TestFilesThatAreNoRoomFiles(t *testing.T) {
	for what, data := range map[string]string{
		"is empty":                  "# nothing here\n",
		"bytes long":                strings.Repeat("# much too long\n", 1<<16+1),
		"is not UTF-8":              "room:\n  name: \xff\n",
		"a second document":         "room: {}\n---\nroom: {}\n",
		"nested more than 32":       "devices: " + strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"more than 100000 values":   bomb(),
		"does an alias name what":   "devices: &a [*a]\n",
		"the room file is a list":   "- room\n",
		"YAML is indented with":     "room:\n\tid: x\n",
		"stands for nothing":        "room: *nowhere\n",
		"the room file is the text": "hello\n",
	} {
		room, err := Parse("room.yaml", []byte(data), catalogue(), env)
		var faults Faults
		if room != nil || !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// bomb is ten lists, each of which names the one before ten times.
func bomb() string {
	s := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		s += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	return s
}

func TestWhatCannotBeReadIsAFault(t *testing.T) {
	_, err := Load("testdata/no-such-file.yaml", catalogue(), env)
	want := "testdata/no-such-file.yaml:1:1: the file cannot be read: no such file or directory; give the path of a room file"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err = Load("testdata", catalogue(), env); err == nil || !strings.Contains(err.Error(), "it is not a file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestFileOfTheGreatestSizeIsRead(t *testing.T) {
	_, demo := Demo()
	name := filepath.Join(t.TempDir(), "room.yaml")
	for n, good := range map[int]bool{sizeMost: true, sizeMost + 1: false} {
		data := append(demo, strings.Repeat("#", n-len(demo)-1)+"\n"...)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(name, catalogue(), env); (err == nil) != good {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
