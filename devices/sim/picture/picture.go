// Package picture serves the moving test pictures of simulated players, recorders and cameras: colour
// bars, a marker that moves, and in letters what the equipment does.
package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	width, height = 320, 180
	frames        = 5 // a second
	boundary      = "lectern-picture"
)

// Gallery serves one picture for each device, as /<device>.mjpg that moves and /<device>.jpg that
// does not. Its methods may be called from any goroutine.
type Gallery struct {
	mu       sync.Mutex
	describe map[string]func() string
}

// New makes an empty gallery.
func New() *Gallery { return &Gallery{describe: make(map[string]func() string)} }

// Add hangs a device's picture; describe says what it does, in capital letters.
func (g *Gallery) Add(device string, describe func() string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.describe[device] = describe
}

// ServeHTTP implements http.Handler.
func (g *Gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	device, moving := strings.CutSuffix(name, ".mjpg")
	device = strings.TrimSuffix(device, ".jpg")
	g.mu.Lock()
	describe, ok := g.describe[device]
	g.mu.Unlock()
	if !ok || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	began := time.Now()
	if !moving {
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(frame(device, describe(), 0))
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	tick := time.NewTicker(time.Second / frames)
	defer tick.Stop()
	for {
		picture := frame(device, describe(), time.Since(began))
		_, err := fmt.Fprintf(w, "--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", boundary, len(picture), picture)
		if err != nil {
			return
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// frame draws one picture.
func frame(device, words string, at time.Duration) []byte {
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	bars := []color.RGBA{
		{191, 191, 191, 255}, {191, 191, 0, 255}, {0, 191, 191, 255}, {0, 191, 0, 255},
		{191, 0, 191, 255}, {191, 0, 0, 255}, {0, 0, 191, 255},
	}
	for i, c := range bars {
		box(canvas, i*width/len(bars), 0, (i+1)*width/len(bars), height, c)
	}
	box(canvas, 0, 56, width, 124, color.RGBA{16, 16, 16, 255})
	x := int(at.Milliseconds()/10) % width
	box(canvas, x, 140, x+24, 164, color.RGBA{255, 255, 255, 255})
	s := int(at.Seconds())
	for i, text := range []string{strings.ToUpper(device), words, fmt.Sprintf("%02d:%02d:%02d:%02d", s/3600, s/60%60, s%60, at.Milliseconds()%1000/40)} {
		write(canvas, 12, 62+20*i, text)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, canvas, &jpeg.Options{Quality: 80}); err != nil {
		return nil // a buffer in memory takes everything
	}
	return out.Bytes()
}

func box(to draw.Image, x0, y0, x1, y1 int, c color.Color) {
	draw.Draw(to, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
}

// write draws capital letters and digits of five by seven dots, two pixels a dot.
func write(to draw.Image, x, y int, text string) {
	for _, r := range text {
		for row, dots := range glyph(r) {
			for column := range 5 {
				if dots>>(4-column)&1 != 0 {
					box(to, x+2*column, y+2*row, x+2*column+2, y+2*row+2, color.White)
				}
			}
		}
		if x += 12; x > width-12 {
			return
		}
	}
}

// glyph is a letter as seven rows of five dots; what is not here is drawn as a gap.
func glyph(r rune) [7]byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-"
	shapes := [][7]byte{
		{14, 17, 17, 31, 17, 17, 17}, {30, 17, 17, 30, 17, 17, 30}, {14, 17, 16, 16, 16, 17, 14}, {30, 17, 17, 17, 17, 17, 30},
		{31, 16, 16, 30, 16, 16, 31}, {31, 16, 16, 30, 16, 16, 16}, {14, 17, 16, 23, 17, 17, 15}, {17, 17, 17, 31, 17, 17, 17},
		{14, 4, 4, 4, 4, 4, 14}, {7, 2, 2, 2, 2, 18, 12}, {17, 18, 20, 24, 20, 18, 17}, {16, 16, 16, 16, 16, 16, 31},
		{17, 27, 21, 21, 17, 17, 17}, {17, 25, 21, 19, 17, 17, 17}, {14, 17, 17, 17, 17, 17, 14}, {30, 17, 17, 30, 16, 16, 16},
		{14, 17, 17, 17, 21, 18, 13}, {30, 17, 17, 30, 20, 18, 17}, {15, 16, 16, 14, 1, 1, 30}, {31, 4, 4, 4, 4, 4, 4},
		{17, 17, 17, 17, 17, 17, 14}, {17, 17, 17, 17, 17, 10, 4}, {17, 17, 17, 21, 21, 27, 17}, {17, 17, 10, 4, 10, 17, 17},
		{17, 17, 10, 4, 4, 4, 4}, {31, 1, 2, 4, 8, 16, 31}, {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},
		{14, 17, 1, 6, 8, 16, 31}, {30, 1, 1, 14, 1, 1, 30}, {2, 6, 10, 18, 31, 2, 2}, {31, 16, 30, 1, 1, 17, 14},
		{6, 8, 16, 30, 17, 17, 14}, {31, 1, 2, 4, 8, 8, 8}, {14, 17, 17, 14, 17, 17, 14}, {14, 17, 17, 15, 1, 2, 12},
		{0, 4, 0, 0, 0, 4, 0}, {0, 0, 0, 14, 0, 0, 0},
	}
	if i := strings.IndexRune(letters, r); i >= 0 {
		return shapes[i]
	}
	return [7]byte{}
}
