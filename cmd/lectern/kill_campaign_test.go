package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/scenes/journal"
)

var (
	killMoments = flag.Int("kills", 20, "how often the daemon is killed; 300 is the campaign")
	killSeed    = flag.Uint64("seed", 0, "of the moments at which the daemon is killed; 0 draws one")
)

// killings is what the daemon has acknowledged over all its lives.
type killings struct {
	*victim
	rng *rand.Rand

	mu   sync.Mutex
	acks map[string]int // commands by what the journal must have of them
	runs []string       // that were begun
}

// The daemon is killed at random moments of a room at work: while the rack comes on, while curtains
// travel, while lamps are switched as fast as it goes, while it starts. Each time: the file is whole,
// nothing that was acknowledged is missing, the next start moves nothing, and a run that was under
// way is finished.
func TestSIGKILLAtRandomMoments(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d: go test ./cmd/lectern -run %s -kills %d -seed %d", seed, t.Name(), *killMoments, seed)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(*killMoments+3)*patience)
	defer cancel()
	c := &killings{
		victim: newVictim(ctx, t, "60ms"), rng: rand.New(rand.NewPCG(seed, 0)), acks: make(map[string]int),
	}
	under := 0
	for moment := range *killMoments {
		if c.rng.IntN(6) == 0 { // in the middle of a start
			daemon, _ := c.launch()
			time.Sleep(time.Duration(c.rng.IntN(250)) * time.Millisecond)
			c.kill(daemon)
			c.inspect(moment)
		}
		before, open := c.settled(), c.inspect(moment)
		daemon, url := c.start()
		c.ready(url)
		for id, scene := range open {
			under++
			c.resolved(url, id, scene)
		}
		after := c.truth()
		for name, value := range after {
			if before[name] != value && !strings.HasPrefix(name, "temperature") && (len(open) == 0 || !behindRack(name)) {
				t.Errorf("moment %d: the start made %s %s, it was %s (runs under way: %v)", moment, name, value, before[name], open)
			}
		}
		c.disturb(daemon, url)
		if t.Failed() {
			t.Fatalf("moment %d", moment)
		}
	}
	c.inspect(*killMoments)
	t.Logf("%d kills, %d kinds of acknowledged commands, %d runs begun, %d found under way", *killMoments, len(c.acks), len(c.runs), under)
}

// behindRack reports whether a scene of the rack changes it.
func behindRack(name string) bool {
	for _, prefix := range []string{"rack-", "projector", "matrix", "dvd", "recorder"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// settled waits until the equipment stands still, and says how it is.
func (c *killings) settled() map[string]string {
	c.t.Helper()
	last, still := c.truth(), 0
	for still < 4 {
		time.Sleep(40 * time.Millisecond)
		now := c.truth()
		for name := range now {
			if strings.HasPrefix(name, "temperature") {
				delete(now, name)
			}
		}
		if reflect.DeepEqual(now, last) {
			still++
		} else {
			last, still = now, 0
		}
		if c.ctx.Err() != nil {
			c.t.Fatal("the equipment never stands still")
		}
	}
	return last
}

// resolved waits until a run that was under way is over, and looks at what came of it.
func (c *killings) resolved(url, id, scene string) {
	c.t.Helper()
	want := map[string]int{"system-on": 6, "system-off": 0}[scene]
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, answer := c.ask(http.MethodGet, url+"/api/v1/state", "")
		runs, _ := answer["runs"].([]any)
		for _, r := range runs {
			if run := r.(map[string]any); run["scene"] == scene && run["state"] == "finished" && c.racked() == want {
				return
			}
		}
		if time.Now().After(end) {
			c.t.Fatalf("run %s of %s was under way and is not finished: %d circuits on, %v", id, scene, c.racked(), runs)
		}
	}
}

// disturb has the room at work and kills the daemon at a random moment.
func (c *killings) disturb(daemon *exec.Cmd, url string) {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	set := func(name string, value any) bool {
		device, property, _ := strings.Cut(name, ".")
		b, _ := json.Marshal(map[string]any{"value": value})
		status, answer := c.ask(http.MethodPost, url+"/api/v1/devices/"+device+"/"+property, string(b))
		if outcome, ok := answer["outcome"].(string); ok {
			c.mu.Lock()
			c.acks[fmt.Sprintf("%s to %v: %s", name, value, outcome)]++
			c.mu.Unlock()
		}
		return status != 0 && ctx.Err() == nil
	}
	if c.rng.IntN(3) > 0 {
		scene := "system-on"
		if c.racked() == 6 {
			scene = "system-off"
		}
		wg.Go(func() {
			status, answer := c.ask(http.MethodPost, url+"/api/v1/scenes/"+scene, `{"confirm":true}`)
			if id, ok := answer["id"].(string); ok && status == http.StatusAccepted {
				c.mu.Lock()
				c.runs = append(c.runs, id)
				c.mu.Unlock()
			}
		})
	}
	for _, curtain := range []string{"door-curtain", "rear-curtain", "floor-curtain"}[:c.rng.IntN(4)] {
		heights := []int{c.rng.IntN(101), c.rng.IntN(101)}
		wg.Go(func() {
			for i := 0; i < len(heights) && set(curtain+".position", heights[i]); i++ {
			}
		})
	}
	for _, lamp := range []string{"door-lights", "wall-lights"}[:c.rng.IntN(3)] {
		on := c.rng.IntN(2) == 0
		wg.Go(func() {
			for set(lamp+".power", on) {
				on = !on
			}
		})
	}
	time.Sleep(time.Duration(c.rng.IntN(900)) * time.Millisecond)
	c.kill(daemon)
	cancel()
	wg.Wait()
}

// inspect looks into the file as the kill has left it, in a copy: whole, and with all that was
// acknowledged. It returns the runs that a start will find, by id.
func (c *killings) inspect(moment int) (open map[string]string) {
	c.t.Helper()
	folder, open := c.t.TempDir(), make(map[string]string)
	for _, name := range []string{journal.FileName, journal.FileName + "-wal"} {
		b, err := os.ReadFile(filepath.Join(c.data, name))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), b, 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if aside, _ := filepath.Glob(filepath.Join(c.data, "*.bad")); len(aside) > 0 {
		c.t.Fatalf("moment %d: set aside: %v", moment, aside)
	}
	if info, err := os.Stat(filepath.Join(folder, journal.FileName)); err != nil || info.Size() == 0 {
		if len(c.acks) > 0 {
			c.t.Fatalf("moment %d: the journal is gone: %v", moment, err)
		}
		return open
	}
	db, err := sql.Open("sqlite", filepath.Join(folder, journal.FileName))
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		c.t.Fatalf("moment %d: the file is %q: %v", moment, verdict, err)
	}
	count := make(map[string]int)
	c.rows(db, "SELECT device || '.' || property || ' to ' || value || ': ' || outcome, count(*) FROM journal WHERE device <> '' AND via = 'http' GROUP BY 1",
		func(scan func(...any) error) error {
			var key string
			var n int
			err := scan(&key, &n)
			count[key] = n
			return err //nolint:wrapcheck // to the test
		})
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, n := range c.acks {
		if count[key] < n {
			c.t.Errorf("moment %d: %s was acknowledged %d times; the journal has it %d times", moment, key, n, count[key])
		}
	}
	begun := make(map[string]bool)
	c.rows(db, "SELECT journal.run FROM journal JOIN runs ON runs.id = journal.run WHERE outcome = 'started'", func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		begun[id] = true
		return err //nolint:wrapcheck // to the test
	})
	for _, id := range c.runs {
		if !begun[id] {
			c.t.Errorf("moment %d: run %s was acknowledged and is not known", moment, id)
		}
	}
	c.rows(db, "SELECT id, scene FROM runs WHERE open = 1", func(scan func(...any) error) error {
		var id, scene string
		err := scan(&id, &scene)
		open[id] = scene
		return err //nolint:wrapcheck // to the test
	})
	if len(open) > 1 {
		c.t.Errorf("moment %d: several runs are under way: %v", moment, open)
	}
	return open
}

func (c *killings) rows(db *sql.DB, query string, row func(scan func(...any) error) error) {
	c.t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
}
