package panel

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/configs"
)

// files are the pages: no build step, nothing from elsewhere. The sums are those of all that is not written here, the
// fonts among them; a test holds them against it.
//
//go:embed web vendor/SUMS
var files embed.FS

const (
	assetPath = "/assets/"
	logoPath  = "/logo"
	logoMost  = 1 << 20
)

// types are those of the files that a browser gets, by ending. What is text goes compressed.
var types = map[string]struct {
	content string
	text    bool
}{
	".js":    {"text/javascript; charset=utf-8", true},
	".css":   {"text/css; charset=utf-8", true},
	".svg":   {"image/svg+xml", true},
	".png":   {"image/png", false},
	".woff2": {"font/woff2", false},
}

// asset is one file as it is sent.
type asset struct {
	content string
	plain   []byte
	zipped  []byte // nil where compressing gains nothing
	file    string // in place of both, what is sent as it lies in the program: most of a font is never asked for
}

// website is all that a browser gets which does not change while the daemon runs. Its files stand
// under a path with a hash over all of them, so that a browser may keep them for ever and still never
// mixes two builds.
type website struct {
	base     string
	assets   map[string]asset
	index    asset
	manifest asset
	logo     asset
}

func newWebsite(cfg *configs.Room) (*website, error) {
	w := &website{assets: make(map[string]asset)}
	sum := sha256.New()
	var modules []string
	sums, err := files.ReadFile("vendor/SUMS")
	if err != nil {
		return nil, fmt.Errorf("reading the sums of the fonts: %w", err)
	}
	sum.Write(sums)
	err = fs.WalkDir(files, "web", func(name string, d fs.DirEntry, err error) error {
		kind, known := types[path.Ext(name)]
		if err != nil || d.IsDir() || !known {
			return err
		}
		if path.Ext(name) == ".woff2" {
			w.assets[strings.TrimPrefix(name, "web/")] = asset{content: kind.content, file: name}
			return nil
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err //nolint:wrapcheck // names the file
		}
		name = strings.TrimPrefix(name, "web/")
		fmt.Fprintf(sum, "%s %d ", name, len(b))
		sum.Write(b)
		a := asset{content: kind.content, plain: b}
		if kind.text {
			a = text(kind.content, b)
		}
		if path.Ext(name) == ".js" {
			modules = append(modules, name)
		}
		w.assets[name] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the pages: %w", err)
	}
	w.base = assetPath + hex.EncodeToString(sum.Sum(nil))[:16]
	if err := w.logoOf(cfg.Panel.Theme.Logo); err != nil {
		return nil, err
	}
	if err := w.indexOf(cfg, modules); err != nil {
		return nil, err
	}
	return w, w.manifestOf(cfg)
}

// zippers are used again: each has most of a megabyte, and a start compresses thirty files.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// text is an asset that goes compressed.
func text(content string, b []byte) asset {
	var out bytes.Buffer
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&out)
	_, _ = z.Write(b) // a Buffer takes everything
	_ = z.Close()
	return asset{content: content, plain: b, zipped: bytes.Clone(out.Bytes())}
}

func (w *website) logoOf(file string) error {
	if file == "" {
		return nil
	}
	info, err := os.Stat(file)
	if err == nil && info.Size() > logoMost {
		err = fmt.Errorf("it has %d bytes; a logo has at most %d", info.Size(), logoMost)
	}
	if err != nil {
		return fmt.Errorf("the logo %s: %w", file, err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the logo: %w", err)
	}
	w.logo = asset{content: types[path.Ext(file)].content, plain: b}
	return nil
}

// indexOf makes the one page. Everything it needs is named in it, so that a browser fetches it all at
// once and not one after the other.
func (w *website) indexOf(cfg *configs.Room, modules []string) error {
	slices.Sort(modules)
	fonts := []string{"fonts/latin-400.woff2", "fonts/core-400.woff2", "fonts/latin-600.woff2", "fonts/core-600.woff2"}
	var out bytes.Buffer
	if err := w.page(cfg, modules, fonts).Render(&out); err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	w.index = text("text/html; charset=utf-8", out.Bytes())
	return nil
}

// page is the one page: its script makes all that is seen of it.
func (w *website) page(cfg *configs.Room, modules, fonts []string) g.Node {
	name := nameIn(cfg.Room.Name, cfg.Room.Language)
	asset := func(file string) g.Node { return h.Href(w.base + "/" + file) }
	return h.Doctype(h.HTML(h.Lang(cfg.Room.Language), h.Data("theme", cfg.Panel.Theme.Mode), g.Attr("translate", "no"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1, viewport-fit=cover")),
			h.Meta(h.Name("google"), h.Content("notranslate")),
			h.Meta(h.Name("description"), h.Content(name)),
			h.Meta(h.Name("theme-color"), h.Content("#5FB2EC")),
			h.TitleEl(g.Text(name)),
			h.Link(h.Rel("icon"), asset("icon.svg"), h.Type("image/svg+xml")),
			h.Link(h.Rel("apple-touch-icon"), asset("icon-192.png")),
			h.Link(h.Rel("manifest"), h.Href("/manifest.webmanifest")),
			h.Link(h.Rel("stylesheet"), asset("fonts.css")),
			h.Link(h.Rel("stylesheet"), asset("panel.css")),
			g.Map(fonts, func(file string) g.Node {
				return h.Link(h.Rel("preload"), asset(file), h.As("font"), h.Type("font/woff2"), g.Attr("crossorigin"))
			}),
			g.Map(modules, func(file string) g.Node { return h.Link(h.Rel("modulepreload"), asset(file)) }),
			h.Script(h.Type("module"), h.Src(w.base+"/main.js")),
		),
		h.Body(
			h.Div(h.ID("panel")),
			h.NoScript(h.P(h.Lang("zh"), g.Text("此面板需要JavaScript。")), h.P(h.Lang("en"), g.Text("This panel needs JavaScript."))),
		),
	))
}

// manifestOf makes what a tablet wants to put the panel on its home screen.
func (w *website) manifestOf(cfg *configs.Room) error {
	icon := func(file, size, purpose string) map[string]string {
		return map[string]string{"src": w.base + "/" + file, "sizes": size, "type": types[path.Ext(file)].content, "purpose": purpose}
	}
	name := nameIn(cfg.Room.Name, cfg.Room.Language)
	b, err := json.Marshal(map[string]any{
		"name": name, "short_name": name, "lang": cfg.Room.Language, "start_url": "/", "scope": "/", "display": "fullscreen",
		"orientation": "any", "theme_color": "#5FB2EC", "background_color": "#E6F2FB",
		"icons": []map[string]string{icon("icon-192.png", "192x192", "any"), icon("icon-512.png", "512x512", "any"), icon("icon.svg", "any", "any")},
	})
	if err != nil {
		return fmt.Errorf("making the manifest: %w", err)
	}
	w.manifest = text("application/manifest+json", b)
	return nil
}

func nameIn(n configs.Name, language string) string {
	if language == "en" && n.EN != "" || n.ZH == "" {
		return n.EN
	}
	return n.ZH
}

// pages lists the ways to the pages.
func (s *Server) pages() []route {
	return []route{
		{http.MethodGet, "/", func(w http.ResponseWriter, r *http.Request) { s.site.index.send(w, r) }},
		{http.MethodGet, "/manifest.webmanifest", func(w http.ResponseWriter, r *http.Request) { s.site.manifest.send(w, r) }},
		{http.MethodGet, assetPath + ":hash/*", s.asset},
		{http.MethodGet, logoPath, func(w http.ResponseWriter, r *http.Request) {
			if s.site.logo.plain == nil {
				writeProblem(w, problem{Status: http.StatusNotFound, Title: "No logo", Detail: "the room file has no logo", ZH: "房间文件中没有徽标"})
				return
			}
			s.site.logo.send(w, r)
		}},
	}
}

// asset is GET /assets/{hash}/{file}.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := s.site.assets[param(r, "*")]
	if !ok {
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "No such file", Detail: "the panel has no such file", ZH: "没有此文件"})
		return
	}
	// A page of an older build gets what there is and keeps none of it.
	if strings.HasPrefix(r.URL.Path, s.site.base+"/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	a.send(w, r)
}

func (a asset) send(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", a.content)
	if a.file != "" {
		if f, err := files.Open(a.file); err == nil { // it is in the program
			defer f.Close()
			_, _ = io.Copy(w, f)
		}
		return
	}
	body := a.plain
	if a.zipped != nil {
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			body = a.zipped
		}
	}
	_, _ = w.Write(body)
}
