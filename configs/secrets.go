package configs

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	secretLeast = 20       // characters of a token's secret: about 100 bits where it is random
	secretMost  = 64 << 10 // bytes of a file with a secret in it
)

var environment = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// refers reports whether a secret is not written in the file but says where it is.
func refers(s string) bool {
	return strings.HasPrefix(s, "${") || strings.HasPrefix(s, "file:")
}

// secret returns the secret that a value means: itself, ${NAME} from the environment or file:PATH
// from a file beside the room file. Ok is false where it is not to be had; a fault says so.
func (d *document) secret(s string, p path) (value string, ok bool) {
	switch {
	case strings.HasPrefix(s, "${"):
		m := environment.FindStringSubmatch(s)
		if m == nil {
			d.fault(d.value(p), d.owned(p)+" begins like ${NAME} and is not", "write ${NAME} and nothing else, NAME being letters, digits and _")
			return "", false
		}
		if value, ok = d.env(m[1]); !ok || value == "" {
			d.fault(d.value(p), fmt.Sprintf("%s comes from the environment variable %s, which is not set", d.owned(p), m[1]), "set it where lectern is started")
			return "", false
		}
		return value, true
	case strings.HasPrefix(s, "file:"):
		name := strings.TrimPrefix(s, "file:")
		if !filepath.IsAbs(name) {
			name = filepath.Join(d.folder, name)
		}
		data, err := read(name, secretMost)
		if err == nil && len(strings.TrimSpace(string(data))) == 0 {
			err = fmt.Errorf("it is empty")
		}
		if err != nil {
			d.fault(d.value(p), fmt.Sprintf("%s comes from the file %s, which cannot be read: %v", d.owned(p), name, err), "write file: and a path, relative to the room file, with the secret in it")
			return "", false
		}
		return strings.TrimSpace(string(data)), true
	}
	return s, true
}

// owned names a value by its key and what has it.
func (d *document) owned(p path) string {
	parent, name := p.up()
	return fmt.Sprintf("%q in %s", name, d.describe(parent))
}

// isSecret reports whether a driver's setting is a secret by its name.
func isSecret(key string) bool { return key == "password" || key == "secret" }

// open returns a copy of a driver's settings with the secrets in it fetched. What cannot be fetched
// is a fault.
func (d *document) open(n *yaml.Node, p path) *yaml.Node {
	n = resolve(n)
	opened := *n
	switch n.Kind {
	case yaml.MappingNode:
		opened.Content = append([]*yaml.Node(nil), n.Content...)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := resolve(n.Content[i]).Value, resolve(n.Content[i+1])
			here := p.key(key)
			if !isSecret(key) || value.Kind != yaml.ScalarNode || value.ShortTag() != "!!str" {
				opened.Content[i+1] = d.open(value, here)
				continue
			}
			if s, ok := d.secret(value.Value, here); ok {
				fetched := *value
				fetched.Value, fetched.Tag = s, "!!str"
				opened.Content[i+1] = &fetched
			} else {
				d.spoil(here)
			}
			if value.Value != "" && !refers(value.Value) {
				d.warn(pos(value), d.owned(here)+" is written in clear", "take it from ${NAME} or file:PATH, so that the room file can be shown")
			}
		}
	case yaml.SequenceNode:
		opened.Content = make([]*yaml.Node, len(n.Content))
		for i, member := range n.Content {
			opened.Content[i] = d.open(member, p.at(i))
		}
	}
	return &opened
}

var phc = regexp.MustCompile(`^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,4}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)

// hashed says why a text is not an argon2id hash in PHC form that can be checked in reasonable time
// and memory; "" where it is one.
func hashed(s string) string {
	m := phc.FindStringSubmatch(s)
	if m == nil {
		return "is no argon2id hash"
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // the pattern takes digits only
	memory, times, lanes := number(m[1]), number(m[2]), number(m[3])
	salt, saltErr := base64.RawStdEncoding.DecodeString(m[4])
	sum, sumErr := base64.RawStdEncoding.DecodeString(m[5])
	switch {
	case saltErr != nil || sumErr != nil || len(salt) < 8 || len(sum) < 16:
		return "is an argon2id hash that was cut or changed"
	case lanes < 1 || times < 1 || memory < 8*lanes:
		return "is an argon2id hash with impossible parameters"
	case memory > 64<<10 || times > 16 || lanes > 16: // as panel/pin takes it: two are checked at a time, on a small computer
		return "is an argon2id hash that would take too much memory or time to check"
	}
	return ""
}
