// Package pin keeps PINs: it hashes them for the room file, compares them, and slows down who guesses.
package pin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id: the second recommendation of RFC 9106 scaled to a small computer on a
// wall. A PIN of four digits is saved by the slowing down, not by the hash; the hash keeps it out of
// backups and screenshots of the room file.
const (
	memory  = 19456 // KiB
	passes  = 2
	lanes   = 1
	saltLen = 16
	keyLen  = 32

	memoryMost = 64 << 10 // KiB that a room file may ask for; the loader holds it to the same
)

// Digits a PIN has.
const (
	Least = 4
	Most  = 12
)

// ErrForm says what a PIN is.
var ErrForm = fmt.Errorf("a PIN is %d to %d digits", Least, Most)

// Valid reports whether a text could be a PIN.
func Valid(pin string) bool {
	return len(pin) >= Least && len(pin) <= Most && strings.Trim(pin, "0123456789") == ""
}

// Hash turns a PIN into what a room file stores, with a salt of its own.
func Hash(pin string) (string, error) {
	if !Valid(pin) {
		return "", ErrForm
	}
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(pin), salt, passes, memory, lanes, keyLen)
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, e.EncodeToString(salt), e.EncodeToString(key)), nil
}

var errHash = errors.New("not an argon2id hash: make one with lectern pin")

// Verify compares a PIN with a hash, in time that does not depend on where they differ.
func Verify(hash, pin string) (bool, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	var v, m, t, p int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &v); err != nil || v != argon2.Version {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &p); err != nil || m < 8 || m > memoryMost || t < 1 || t > 16 || p < 1 || p > 16 {
		return false, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err = errors.Join(err, err2); err != nil || len(key) < 16 || len(key) > 64 {
		return false, errHash
	}
	if !Valid(pin) {
		return false, nil
	}
	got := argon2.IDKey([]byte(pin), salt, uint32(t), uint32(m), uint8(p), uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}
