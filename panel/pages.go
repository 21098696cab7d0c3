package panel

import (
	"embed"
	"net/http"
)

// files are the pages: no build step, nothing from elsewhere.
//
//go:embed web
var files embed.FS

// pages lists the ways to the pages.
func (s *Server) pages() []route {
	var routes []route
	for path, file := range map[string][2]string{
		"/":        {"web/index.html", "text/html; charset=utf-8"},
		"/app.js":  {"web/app.js", "text/javascript; charset=utf-8"},
		"/app.css": {"web/app.css", "text/css; charset=utf-8"},
	} {
		routes = append(routes, route{http.MethodGet, path, func(w http.ResponseWriter, _ *http.Request) {
			b, err := files.ReadFile(file[0])
			if err != nil {
				writeError(w, err)
				return
			}
			w.Header().Set("Content-Type", file[1])
			_, _ = w.Write(b)
		}})
	}
	return routes
}
