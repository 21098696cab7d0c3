package pin

import (
	"strings"
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

func TestFiveWrongPINsMakeAnAddressWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Backoff
		for i := range tries - 1 {
			if left, wait := b.Wrong("wall"); left != tries-1-i || wait != 0 || b.Wait("wall") != 0 {
				t.Fatalf("after %d: %d left, wait %s", i+1, left, wait)
			}
		}
		for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
			if _, wait := b.Wrong("wall"); wait != want || b.Wait("wall") != want {
				t.Errorf("waits %s, want %s", wait, want)
			}
			if b.Wait("tablet") != 0 {
				t.Error("one address locks out another")
			}
			time.Sleep(want)
			if b.Wait("wall") != 0 {
				t.Error("locked for ever")
			}
		}
		b.Right("wall")
		if left, wait := b.Wrong("wall"); left != tries-1 || wait != 0 {
			t.Errorf("after the right one: %d left, wait %s", left, wait)
		}
	})
}

func TestMemoryOfAddressesIsBounded(t *testing.T) {
	var b Backoff
	for i := range 3 * addressMost {
		b.Wrong(strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	if n := len(b.addresses); n > addressMost {
		t.Errorf("%d addresses", n)
	}
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
