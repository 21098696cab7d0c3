package panel

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/scenes/journal"
)

func TestTheJournalIsFiltered(t *testing.T) {
	r := newRig(t)
	cookie := r.open(t, "main", "1234")
	r.ask(t, "POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, cookie)
	r.ask(t, "POST", "/api/v1/devices/lamp/level", `{"value":"high"}`, bearer)
	r.ask(t, "POST", "/api/v1/scenes/dim", `{"confirm":true}`, cookie)
	for r.Engine.Active("dim") {
		time.Sleep(time.Millisecond)
	}
	hour := func(d time.Duration) string { return time.Now().Add(d * time.Hour).UTC().Format(time.RFC3339) }
	for _, c := range []struct{ query, want string }{
		{"", "finished finished done started refused done opened online online"},
		{"most=2", "finished finished"},
		{"before=3", "online online"},
		{"device=lamp", "done refused done online"},
		{"device=lamp&outcome=refused", "refused"},
		{"scene=dim", "finished finished started"},
		{"who=bms", "refused"},
		{"who=127.0.0.1&device=lamp", "refused done"},
		{"who=panel", "started done opened"},
		{"since=" + hour(-1) + "&until=" + hour(1) + "&most=1", "finished"},
		{"since=" + hour(1), ""},
		{"until=" + hour(-1), ""},
		{"device=nobody", ""},
	} {
		answer, body := r.ask(t, "GET", "/api/v1/journal?"+c.query, "", bearer)
		var got struct {
			Entries  []journal.Entry
			Complete bool
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != http.StatusOK || !got.Complete {
			t.Fatalf("%s: %d %s", c.query, answer.StatusCode, body)
		}
		var words []string
		for _, e := range got.Entries {
			words = append(words, e.Outcome)
		}
		if strings.Join(words, " ") != c.want {
			t.Errorf("%s: %v, want %s\n%s", c.query, words, c.want, body)
		}
	}
	for _, query := range []string{"before=x", "most=0", "most=501", "since=yesterday", "until=1", "format=pdf", "before=-1"} {
		if answer, body := r.ask(t, "GET", "/api/v1/journal?"+query, "", bearer); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "is ") {
			t.Errorf("%s: %d %s", query, answer.StatusCode, body)
		}
	}
}

func TestTheJournalIsExported(t *testing.T) {
	r := newRig(t)
	const n = 2*journal.MostRead + 7
	for range n {
		r.Journal.Record(journal.Entry{By: journal.By{Via: "http", Name: "=cmd()"}, Device: "lamp", Outcome: "done", Detail: "射灯"})
	}
	answer, body := r.ask(t, "GET", "/api/v1/journal?format=csv&device=lamp&outcome=done&most=3", "", bearer)
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/csv") || !strings.HasPrefix(body, "\ufeffseq,time,") {
		t.Fatalf("%d %s %.60q", answer.StatusCode, kind, body)
	}
	if !strings.Contains(answer.Header.Get("Content-Disposition"), "hall-journal.csv") {
		t.Error(answer.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != n+1 || rows[1][3] != "'=cmd()" || rows[1][14] != "射灯" {
		t.Errorf("%d rows, %v: %v", len(rows), err, rows[1])
	}
	r.exports.Lock()
	defer r.exports.Unlock()
	if answer, _ := r.ask(t, "GET", "/api/v1/journal?format=csv", "", bearer); answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a second export: %d", answer.StatusCode)
	}
	if answer, _ := r.ask(t, "GET", "/api/v1/journal?format=csv", ""); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("an export for nobody: %d", answer.StatusCode)
	}
}

func TestAStorageInTroubleIsToldAndTheRoomStaysReady(t *testing.T) {
	r := newRig(t)
	r.Journal = journal.Open(t.TempDir()+"/not/there", r.Log)
	h, _ := r.Journal.Health()
	r.Room.PostStorage(h)
	_, compile := schemas(t)
	_, body := r.ask(t, "GET", "/api/v1/state", "")
	var state struct{ Storage map[string]any }
	if err := json.Unmarshal([]byte(body), &state); err != nil || state.Storage["ok"] != false || state.Storage["error"] == "" {
		t.Errorf("%v: %s", err, body)
	}
	if err := compile("/components/schemas/Storage").Validate(any(state.Storage)); err != nil {
		t.Error(err)
	}
	if _, body := r.ask(t, "GET", "/metrics", ""); !strings.Contains(body, "lectern_storage_up 0") {
		t.Error("the metrics do not tell")
	}
	if _, body := r.ask(t, "GET", "/readyz", ""); strings.Contains(body, "storage") {
		t.Errorf("the room works without: %s", body)
	}
	_, body = r.ask(t, "GET", "/api/v1/journal", "", bearer)
	if !strings.Contains(body, `"complete":false`) || !strings.Contains(body, "broken") {
		t.Errorf("the journal: %s", body)
	}
	if answer, _ := r.ask(t, "GET", "/api/v1/journal?format=csv", "", bearer); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an export of half a journal: %d", answer.StatusCode)
	}
}
