package pin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestHashIsForOnePINOnly(t *testing.T) {
	hash, err := Hash("1234")
	if err != nil {
		t.Fatal(err)
	}
	for pin, want := range map[string]bool{"1234": true, "1235": false, "12345": false, "": false, "abcd": false} {
		if ok, err := Verify(hash, pin); ok != want || err != nil {
			t.Errorf("%q: %v, %v", pin, ok, err)
		}
	}
	if again, _ := Hash("1234"); again == hash {
		t.Error("two hashes have one salt")
	}
}

func TestOnlyDigitsAreAPIN(t *testing.T) {
	for _, bad := range []string{"", "123", "1234567890123", "12 34", "１２３４", "pass"} {
		if _, err := Hash(bad); err == nil {
			t.Errorf("%q was hashed", bad)
		}
	}
}

func TestHostileHashesAreRefused(t *testing.T) {
	good, err := Hash("1234")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "1234", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "m=19456", "m=99999999", 1),
		strings.Replace(good, "t=2", "t=1000000", 1), strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-30] + "$",
	} {
		if ok, err := Verify(bad, "1234"); ok || err == nil {
			t.Errorf("%q: %v, %v", bad, ok, err)
		}
	}
}

func TestFiveWrongPINsMakeAPanelWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Backoff
		for i := range tries - 1 {
			if left, wait, ok := b.Try("wall"); left != tries-1-i || wait != 0 || !ok || b.Wait("wall") != 0 {
				t.Fatalf("after %d: %d left, wait %s", i+1, left, wait)
			}
		}
		for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
			if _, wait, ok := b.Try("wall"); wait != want || !ok || b.Wait("wall") != want {
				t.Errorf("waits %s, want %s", wait, want)
			}
			if _, wait, ok := b.Try("wall"); wait != want || ok {
				t.Errorf("during the pause: wait %s, tried %v", wait, ok)
			}
			if b.Wait("tablet") != 0 {
				t.Error("one panel locks out another")
			}
			time.Sleep(want)
			if b.Wait("wall") != 0 {
				t.Error("locked for ever")
			}
		}
		b.Right("wall")
		if left, wait, ok := b.Try("wall"); left != tries-1 || wait != 0 || !ok {
			t.Errorf("after the right one: %d left, wait %s", left, wait)
		}
	})
}

// Who knows a PIN of his own could guess another's for ever between right ones.
func TestRightPINsBetweenDoNotBuyGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Backoff
		began, guesses := time.Now(), 0
		for time.Since(began) < 24*time.Hour {
			if _, _, ok := b.Try("tablet"); ok {
				guesses++
			}
			time.Sleep(time.Second)
			if guesses%3 == 0 {
				if _, _, ok := b.Try("tablet"); ok {
					b.Right("tablet")
				}
			}
			time.Sleep(time.Second)
		}
		if most := 24 * (hourMost + int(time.Hour/pauseMost) + 1); guesses > most {
			t.Errorf("%d guesses in a day, more than %d", guesses, most)
		}
	})
}

func TestATryThatWasNotCarriedOutIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Backoff
		for range 20 {
			b.Try("wall")
			b.Undo("wall")
		}
		for range tries - 1 {
			b.Try("wall")
		}
		for range 20 { // the last try, again and again
			if _, wait, ok := b.Try("wall"); !ok || wait != pauseLeast {
				t.Fatalf("wait %s, %v", wait, ok)
			}
			b.Undo("wall")
		}
		if left, _, _ := b.Try("wall"); left != 0 {
			t.Errorf("%d left", left)
		}
	})
}

func TestManyAtOnceAreCountedAsMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Backoff
		var tried atomic.Int32
		for range 100 {
			go func() {
				if _, _, ok := b.Try("wall"); ok {
					time.Sleep(time.Millisecond) // it is being checked
					tried.Add(1)
				}
			}()
		}
		time.Sleep(time.Second)
		if n := tried.Load(); n != tries {
			t.Errorf("%d of a hundred at once were looked at", n)
		}
	})
}

func TestMemoryOfPanelsIsBounded(t *testing.T) {
	var b Backoff
	for i := range 3 * panelsMost {
		b.Wrong(strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	if n := len(b.panels); n > panelsMost {
		t.Errorf("%d panels", n)
	}
}

func TestStrangersTogetherAreSlowedDownAndEachGetsATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crowd
		for i := range crowdTries {
			wait, begins, ok := c.Try(fmt.Sprint(i))
			if wait != 0 || !ok || begins != (i == crowdTries-1) {
				t.Fatalf("try %d: wait %s, begins %v, ok %v", i, wait, begins, ok)
			}
		}
		// Fifty guess without end, as often as they can; one more comes once and waits as it is told.
		for i := range 50 {
			c.Try(fmt.Sprintf("guesser %d", i))
		}
		wait, _, ok := c.Try("guest")
		if ok || wait > 51*turnMost {
			t.Fatalf("the guest waits %s, tried %v", wait, ok)
		}
		for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(time.Second) {
			for i := range 50 {
				c.Try(fmt.Sprintf("guesser %d", i))
			}
		}
		if wait, _, ok := c.Try("guest"); !ok {
			t.Errorf("it is the guest's turn, and it should wait %s more", wait)
		}
	})
}

func TestACrowdGuessesNoFasterThanOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crowd
		tried, began := 0, time.Now()
		for time.Since(began) < 24*time.Hour {
			for i := range 100 {
				if _, _, ok := c.Try(fmt.Sprint(i)); ok {
					tried++
				}
			}
			time.Sleep(10 * time.Second)
		}
		if most := 24*int(time.Hour/turnMost) + 15*crowdTries; tried > most || tried < most/2 {
			t.Errorf("a hundred addresses tried %d PINs in a day, want no more than %d", tried, most)
		}
		time.Sleep(crowdCalm + time.Second)
		if wait, _, ok := c.Try("guest"); !ok {
			t.Errorf("after a calm quarter of an hour a guest waits %s", wait)
		}
	})
}

func TestMemoryOfTurnsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Crowd
		for i := range 10 * turnsMost {
			c.Try(fmt.Sprint(i))
		}
		if n := len(c.turns); n > turnsMost {
			t.Errorf("%d turns", n)
		}
	})
}

func TestALaneChecksOneAtATimeAndLetsAFewWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLane()
		var at, most, busy, done int
		var mu sync.Mutex
		for range 50 {
			go func() {
				err := l.Do(context.Background(), func() {
					mu.Lock()
					at++
					most = max(most, at)
					mu.Unlock()
					time.Sleep(time.Second)
					mu.Lock()
					at--
					done++
					mu.Unlock()
				})
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, ErrBusy) {
					busy++
				}
			}()
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if most != 1 || done != laneQueue || busy != 50-laneQueue {
			t.Errorf("%d at a time, %d checked, %d told to come again", most, done, busy)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { _ = l.Do(context.Background(), func() { time.Sleep(time.Minute) }) }()
		time.Sleep(time.Second)
		cancel()
		if err := l.Do(ctx, func() { t.Error("checked for nobody") }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "1234")
	f.Fuzz(func(t *testing.T, hash, pin string) {
		if strings.Contains(hash, "m=") && len(hash) > 0 {
			hash = strings.Replace(hash, "m=", "m=8,x", 1) // a true hash is slow on purpose
		}
		if ok, err := Verify(hash, pin); ok && err == nil && !Valid(pin) {
			t.Errorf("%q opens %q", pin, hash)
		}
	})
}
