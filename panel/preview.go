package panel

import (
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	picturesMost = 8
	pictureMost  = 4 << 20 // bytes of one still picture
	pictureTime  = 5 * time.Second
)

// preview is GET /api/v1/preview/{device}: the picture of a player or camera, relayed from the one
// address that the room file gives. A panel never speaks to the equipment's network itself.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	device := param(r, "device")
	if _, ok := s.allowed(w, r, s.areaOf(device)); !ok {
		return
	}
	url, moving := "", false
	for _, d := range s.Cfg.Devices {
		if d.ID == device && d.Preview != nil {
			url, moving = d.Preview.URL, d.Preview.Kind != "snapshot"
		}
	}
	if url == "" {
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "No picture", Detail: "that device has no preview in the room file", ZH: "该设备没有图像预览"})
		return
	}
	select {
	case s.pictures <- struct{}{}:
		defer func() { <-s.pictures }()
	default:
		writeProblem(w, problem{Status: http.StatusServiceUnavailable, Title: "Too many pictures", Detail: "close another preview", ZH: "预览过多", RetryAfter: 5})
		return
	}
	ctx, cancel := s.streaming(r)
	defer cancel()
	opening := time.AfterFunc(pictureTime, cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		writeError(w, err)
		return
	}
	// A redirect would lead elsewhere than the room file says.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: s.relay}
	answer, err := client.Do(request)
	opening.Stop()
	if err != nil || answer.StatusCode != http.StatusOK || !picture(answer.Header.Get("Content-Type")) {
		if err == nil {
			_ = answer.Body.Close()
		}
		s.Log.Info("no picture", "device", device, "error", err)
		writeProblem(w, problem{Status: http.StatusBadGateway, Title: "No picture", Detail: "the equipment gives no picture", ZH: "设备没有图像"})
		return
	}
	defer answer.Body.Close()
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	control := http.NewResponseController(w)
	var from io.Reader = answer.Body
	if !moving {
		from = io.LimitReader(from, pictureMost)
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(writeTime))
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			_ = control.Flush()
		}
		if err != nil {
			return
		}
	}
}

// picture reports whether a content type is one that an img element shows and that cannot be a page.
func picture(contentType string) bool {
	return strings.HasPrefix(contentType, "image/jpeg") || strings.HasPrefix(contentType, "image/png") ||
		strings.HasPrefix(contentType, "multipart/x-mixed-replace")
}
