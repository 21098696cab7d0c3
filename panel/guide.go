package panel

import (
	"bytes"
	"net/http"

	"lectern/panel/guide"
)

// guide is GET /guide?lang=zh: the operating instruction of the room, to be printed. It tells where
// the wires lead, so it is for who has opened an area.
func (s *Server) guide(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.allowed(w, r, "view"); !ok {
		return
	}
	language := r.URL.Query().Get("lang")
	if language != "zh" && language != "en" {
		language = "" // that of the room
	}
	words, err := Words()
	if err != nil {
		writeError(w, err)
		return
	}
	var page bytes.Buffer
	d := guide.Write(guide.Config{Cfg: s.Cfg, Room: s.Room, Engine: s.Engine, Words: words, Language: language})
	if err := d.HTML(&page); err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+guide.StyleHash()+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes())
}
