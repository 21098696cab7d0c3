package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// finger is a person at the panel: a browser with a cookie.
type finger struct {
	t      testing.TB
	house  *house
	client *http.Client
}

func (h *house) finger() *finger {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &finger{t: h.t, house: h, client: &http.Client{Jar: jar}}
}

func (f *finger) post(path, body string) (int, string) {
	f.t.Helper()
	answer, err := f.client.Post(f.house.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// open types the PIN of an area.
func (f *finger) open(area, pin string) {
	f.t.Helper()
	if status, body := f.post("/api/v1/session", `{"pin":"`+pin+`","area":"`+area+`"}`); status != http.StatusOK {
		f.t.Fatalf("opening %s: %d %s", area, status, body)
	}
}

// hold puts a finger on a button.
func (f *finger) hold(scene string) string {
	f.t.Helper()
	_, body := f.post("/api/v1/scenes/"+scene+"/hold", "")
	var in struct {
		Hold string `json:"hold"`
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil || in.Hold == "" {
		f.t.Fatalf("holding %s: %s", scene, body)
	}
	return in.Hold
}

// picture wants the first bytes of a device's moving picture, through the daemon.
func (h *house) picture(device string) {
	h.t.Helper()
	request, err := http.NewRequest(http.MethodGet, h.url+"/api/v1/preview/"+device, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+h.secret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	head := make([]byte, 256)
	_, err = io.ReadFull(answer.Body, head)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(head), "image/jpeg") || !strings.Contains(string(head), "\xff\xd8") {
		h.t.Errorf("the picture of %s: %d %q, %v", device, answer.StatusCode, head, err)
	}
}

func TestNothingMovesWithoutAPINOrToken(t *testing.T) {
	h := demo(t)
	stranger := h.finger()
	e := h.listen("bus")
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/api/v1/devices/door-lights/power", `{"value":true}`, http.StatusUnauthorized},
		{"/api/v1/scenes/lights-on", `{}`, http.StatusUnauthorized},
		{"/api/v1/session", `{"pin":"0000"}`, http.StatusUnauthorized},
		{"/api/v1/session", `{"pin":"5678","area":"system"}`, http.StatusForbidden},
	} {
		if status, body := stranger.post(c.path, c.body); status != c.status {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	stranger.open("main", "1234")
	if status, body := stranger.post("/api/v1/devices/rack-matrix/power", `{"value":true}`); status != http.StatusForbidden {
		t.Errorf("the rack without the system PIN: %d %s", status, body)
	}
	if strings.Contains(string(e.heard()), string(wireBytes("01 05 00"))) { // a question to the first curtain has 01 05 in it, too
		t.Error("a light moved")
	}
}
