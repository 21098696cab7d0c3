package panel

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"testing"

	"lectern/configs"
)

// The path under which a browser keeps the files for ever is made of these sums, not of the fonts themselves.
func TestVendoredFilesAreThoseOfTheSums(t *testing.T) {
	sums, err := files.ReadFile("vendor/SUMS")
	if err != nil {
		t.Fatal(err)
	}
	summed := make(map[string]bool)
	for line := range strings.Lines(string(sums)) {
		want, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		b, err := files.ReadFile("web/" + name)
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not what vendor/SUMS says: run npm run make in panel/vendor", name)
		}
		summed[name] = true
	}
	err = fs.WalkDir(files, "web", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == ".woff2" && !summed[strings.TrimPrefix(name, "web/")] {
			t.Errorf("%s has no sum", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheNameOfARoomIsTextOnThePage(t *testing.T) {
	cfg := &configs.Room{Room: configs.About{Language: "en", Name: configs.Name{EN: `"></title><script>alert(1)</script>`}}}
	w, err := newWebsite(cfg)
	if err != nil {
		t.Fatal(err)
	}
	page := string(w.index.plain)
	if strings.Contains(page, "<script>") || strings.Count(page, "&#34;&gt;&lt;/title&gt;&lt;script&gt;alert(1)") != 2 {
		t.Error(page)
	}
	for name := range w.assets {
		if path.Ext(name) == ".js" && !strings.Contains(page, `href="`+w.base+"/"+name+`"`) {
			t.Errorf("the page does not name %s", name)
		}
	}
}
