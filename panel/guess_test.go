package panel

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lectern/configs"
	"lectern/panel/pin"
)

const (
	wall    = "192.168.1.10" // the panel on the wall
	rightly = "314159"
)

// guarded is a room whose PIN is not among those that are guessed.
func guarded(c *Config) {
	c.Cfg.Panel.PINs = map[string]string{"main": cheap(rightly), "system": cheap("271828")}
}

// told is how long an answer says to wait.
func told(w *httptest.ResponseRecorder) time.Duration {
	var p problem
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	return time.Duration(p.RetryAfter) * time.Second
}

// Fifty clients at addresses of their own try ten thousand PINs and wait as they are told. The panel on the
// wall, which has opened the room before, and the controller's own screen wait for none of it.
func TestTenThousandWrongPINsLetNobodyInAndTheWallPanelNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := atRest(t, guarded)
		_, cookie := r.types(wall, "main", rightly)
		began := time.Now()
		var wrong, in atomic.Int32
		var guessers sync.WaitGroup
		for client := range 50 {
			guessers.Go(func() {
				for n := 0; n < 200; {
					w, _ := r.types(fmt.Sprintf("10.0.0.%d", client), "main", fmt.Sprintf("%04d", client*200+n))
					var p problem
					_ = json.Unmarshal(w.Body.Bytes(), &p)
					switch {
					case w.Code == http.StatusOK:
						in.Add(1)
						return
					case w.Code == http.StatusUnauthorized, p.Left != nil && p.Title == "Too many wrong PINs":
						n++ // it may not have been looked at; that only helps the guesser
						wrong.Add(1)
					}
					time.Sleep(max(told(w), time.Second))
				}
			})
		}
		done := make(chan struct{})
		go func() { guessers.Wait(); close(done) }()
		opened := 0
		for guessing := true; guessing; {
			select {
			case <-done:
				guessing = false
			case <-time.After(17 * time.Minute):
			}
			before := time.Now()
			r.from(wall, http.MethodDelete, "/api/v1/session", "", cookie)
			w, again := r.types(wall, "main", rightly, cookie)
			if w.Code != http.StatusOK || time.Since(before) != 0 {
				t.Fatalf("the wall panel after %s: %d %s, waited %s", time.Since(began), w.Code, w.Body, time.Since(before))
			}
			if w, _ := r.types("127.0.0.1", "main", rightly); w.Code != http.StatusOK {
				t.Fatalf("the controller's own screen: %d %s", w.Code, w.Body)
			}
			cookie = again
			opened++
		}
		if in.Load() != 0 || wrong.Load() != 10000 {
			t.Errorf("%d wrong PINs, %d got in", wrong.Load(), in.Load())
		}
		took := time.Since(began)
		t.Logf("ten thousand wrong PINs took %s; the wall panel opened %d times", took, opened)
		if took < 48*time.Hour {
			t.Errorf("ten thousand PINs were tried in %s", took)
		}
		time.Sleep(2 * missesSpan)
		lines := 0
		for _, e := range r.Journal.Latest(0, 100000) {
			if e.Outcome == "wrong PIN" || e.Outcome == "guessing" {
				lines++
			}
		}
		if most := (missesTold + 1) * int(took/missesSpan); lines == 0 || lines > most {
			t.Errorf("the journal has %d lines of it", lines)
		}
	})
}

// The same at full speed over sockets, on addresses that a proxy hides.
func TestTheWallPanelOpensWhileFiftyClientsHammer(t *testing.T) {
	r := newRig(t, guarded)
	cookie := r.open(t, "main", rightly)
	var in, asked atomic.Int32
	over := make(chan struct{})
	var hammering sync.WaitGroup
	for client := range 50 {
		hammering.Go(func() {
			for n := 0; n < 200; n++ {
				select {
				case <-over:
					return
				default:
				}
				if answer, _ := r.ask(t, "POST", "/api/v1/session", fmt.Sprintf(`{"pin":"%04d"}`, client*200+n), "X-Forwarded-For: 10.1.1.1"); answer.StatusCode == http.StatusOK {
					in.Add(1)
				}
				asked.Add(1)
			}
		})
	}
	for range 20 {
		r.ask(t, "DELETE", "/api/v1/session", "", cookie)
		cookie = r.open(t, "main", rightly, cookie) // fails where it is told to wait
	}
	if asked.Load() == 0 {
		t.Error("nobody hammered meanwhile")
	}
	hammering.Wait()
	close(over)
	if in.Load() != 0 {
		t.Errorf("%d got in", in.Load())
	}
}

func TestFiftyPINsAtOnceTakeTheMemoryOfTwo(t *testing.T) {
	hashed, err := pin.Hash(rightly) // at its real cost, 19 MiB
	if err != nil {
		t.Fatal(err)
	}
	r, _ := atRest(t, func(c *Config) { c.Cfg.Panel.PINs = map[string]string{"main": hashed} })
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-over:
				return
			default:
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			runtime.Gosched()
		}
	}()
	var all sync.WaitGroup
	for client := range 50 {
		all.Go(func() { r.types(fmt.Sprintf("10.0.0.%d", client), "main", "0000") })
	}
	all.Wait()
	close(over)
	<-watched
	const mib = 1 << 20
	grew := (most - min(most, before.HeapInuse)) / mib
	t.Logf("fifty at once took %d MiB", grew)
	if grew > 150 {
		t.Errorf("fifty at once took %d MiB", grew)
	}
}

// Half of the lane is taken by strangers all the time; a known panel has its own.
func TestStrangersInALaneDoNotHoldUpThePanelsThatAreKnown(t *testing.T) {
	r, _ := atRest(t, guarded)
	_, cookie := r.types(wall, "main", rightly)
	hold, held := make(chan struct{}), make(chan struct{})
	go func() { _ = r.keypad.strange.Do(t.Context(), func() { close(held); <-hold }) }()
	<-held
	defer close(hold)
	if w, _ := r.types(wall, "main", rightly, cookie); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAPanelIsToldHowLongToWaitInSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := atRest(t, guarded)
		for range 4 {
			r.types("10.0.0.1", "main", "0000")
		}
		w, _ := r.types("10.0.0.1", "main", "0000")
		if w.Code != http.StatusTooManyRequests || told(w) != 30*time.Second || w.Header().Get("Retry-After") != "30" || !strings.Contains(w.Body.String(), `"tries_left":0`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		time.Sleep(10 * time.Second)
		if w, _ = r.types("10.0.0.1", "main", rightly); w.Code != http.StatusTooManyRequests || told(w) != 20*time.Second {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		time.Sleep(told(w))
		if w, _ = r.types("10.0.0.1", "main", rightly); w.Code != http.StatusOK {
			t.Errorf("after the wait: %d %s", w.Code, w.Body)
		}
	})
}

// Whoever knows the PIN of the main page cannot use it to guess that of the system page without end.
func TestARightPINOfOneAreaBuysNoGuessesAtAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := atRest(t, guarded)
		looked, began := 0, time.Now()
		for time.Since(began) < 2*time.Hour {
			_, cookie := r.types("10.0.0.1", "main", rightly) // a new session each time
			for range 4 {
				if w, _ := r.types("10.0.0.1", "system", "0000", cookie); w.Code == http.StatusUnauthorized {
					looked++
				}
			}
			time.Sleep(10 * time.Second)
		}
		if looked > 40 {
			t.Errorf("%d guesses in two hours", looked)
		}
	})
}

// The first PIN of a list takes as long as the last, and a wrong one as long as a right one: every one is
// compared. Bad hashes among them show that none is left out.
func TestEveryPINOfAnAreaIsComparedWhateverMatches(t *testing.T) {
	a := newAccess(&configs.Panel{
		PINs:   map[string]string{"main": cheap("1111")},
		People: []configs.Person{{Name: "Li", PIN: cheap("2222")}, {Name: "Wang", PIN: "no hash"}},
	})
	for _, digits := range []string{"1111", "2222", "3333"} {
		if _, _, err := a.check("main", digits); err == nil {
			t.Errorf("%s: the last one was not looked at", digits)
		}
	}
}
