package panel

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	picturesMost = 8
	pictureMost  = 4 << 20          // bytes of one still picture
	pictureTime  = 5 * time.Second  // until it begins
	stallTime    = 30 * time.Second // in which nothing more of it comes
)

// preview is GET /api/v1/preview/{device}: the picture of a player or camera, relayed from the one
// address that the room file gives. A panel never speaks to the equipment's network itself.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	device := param(r, "device")
	if _, ok := s.allowed(w, r, s.areaOf(device)); !ok {
		return
	}
	from, moving := "", false
	for _, d := range s.Cfg.Devices {
		if d.ID == device && d.Preview != nil {
			from, moving = d.Preview.URL, d.Preview.Kind != "snapshot"
		}
	}
	if from == "" {
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
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		writeError(w, err)
		return
	}
	// A redirect would lead elsewhere than the room file says.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: s.relay}
	answer, err := client.Do(request)
	opening.Stop()
	if failed := new(url.Error); errors.As(err, &failed) {
		err = failed.Err // without the address, in which a password may stand
	}
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
	var body io.Reader = answer.Body
	if !moving {
		body = io.LimitReader(body, pictureMost)
	}
	stalled := time.AfterFunc(stallTime, cancel)
	defer stalled.Stop()
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		stalled.Reset(stallTime)
		if n > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(s.times.event))
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
	kind, _, _ := strings.Cut(contentType, ";") // what follows cameras often get wrong
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "image/jpeg", "image/png", "multipart/x-mixed-replace":
		return true
	}
	return false
}

// newRelay is the way to the equipment's pictures: to where the room file says, past no proxy.
func newRelay() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: headerMost, ResponseHeaderTimeout: pictureTime}
}
