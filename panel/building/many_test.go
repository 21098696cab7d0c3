package building

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// manyRooms is how many rooms stand on the broker; LECTERN_ROOMS sets another number.
const manyRooms = 200

// BenchmarkManyRooms puts rooms on one Mosquitto and has the page follow it: the program itself, in a process
// of its own, over a wire that is counted. It tells how soon a change in a room is in the page's stream,
// and what the page takes of memory and network. One iteration is the whole measurement:
//
//	go test -run '^$' -bench ManyRooms -benchtime 1x ./panel/building
func BenchmarkManyRooms(b *testing.B) {
	rooms := manyRooms
	if n, err := strconv.Atoi(os.Getenv("LECTERN_ROOMS")); err == nil {
		rooms = n
	}
	v := &venue{name: "mosquitto", address: free(b)}
	v.start(b)
	b.Cleanup(func() { v.kill() })
	halls := make([]*hall, rooms)
	ids := make([]string, rooms)
	for i := range halls {
		ids[i] = fmt.Sprintf("room-%03d", i)
		halls[i] = newHall(b, v, ids[i]).run(b)
	}
	ready := make(chan string, 4*rooms)
	var messages atomic.Int64
	reader := stranger(b, v)
	for _, filter := range filters {
		done(b, reader.Subscribe("homie/5/"+filter, 0, func(_ paho.Client, m paho.Message) {
			messages.Add(1)
			if string(m.Payload()) == "ready" {
				ready <- m.Topic()
			}
		}))
	}
	for range rooms {
		select {
		case <-ready:
		case <-time.After(patience):
			b.Fatal("a room does not come up")
		}
	}

	w := tap(b, v.address)
	began := time.Now()
	program := startProgram(b, w.address, ids)
	stream := program.watch(b, rooms)
	b.ReportMetric(time.Since(began).Seconds(), "s-until-all-seen")
	b.ReportMetric(float64(w.down.Load())/1024, "KiB-first")
	b.ReportMetric(program.resident(b), "MiB-idle")

	rates := func(name string, during func()) {
		messages.Store(0)
		down, cpu, began := w.down.Load(), program.processor(b), time.Now()
		during()
		spent := time.Since(began).Seconds()
		b.ReportMetric(float64(messages.Load())/spent, "msgs/s-"+name)
		b.ReportMetric(float64(w.down.Load()-down)/spent, "B/s-"+name)
		b.ReportMetric(100*(program.processor(b)-cpu)/spent, "%cpu-"+name)
	}
	rates("idle", func() { time.Sleep(65 * time.Second) })
	var took []time.Duration
	words := []string{"on", "warming"}
	for n := range 300 {
		h, word := halls[rand.N(rooms)], words[n%2]
		if h.last == word {
			continue
		}
		h.last = word
		time.Sleep(rand.N(300 * time.Millisecond)) // at any moment, not when the stream is just ready
		at := time.Now()
		h.power(word)
		stream.until(b, h.id, "Projector "+word)
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
	rates("busy", func() {
		beat := time.NewTicker(10 * time.Millisecond)
		defer beat.Stop()
		for n := range 2000 {
			<-beat.C
			halls[rand.N(rooms)].warm(20 + float64(n%80)/10)
		}
	})
	b.ReportMetric(program.resident(b), "MiB-busy")
	b.ReportMetric(0, "ns/op")
}

// wire is a cable between the page and the broker that counts what comes down it.
type wire struct {
	address string
	down    atomic.Int64
}

func tap(b *testing.B, to string) *wire {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	w := &wire{address: l.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			open.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			open.Go(func() { _, _ = io.Copy(near, io.TeeReader(far, w)); _ = near.Close() })
		}
	})
	b.Cleanup(func() { _ = l.Close(); open.Wait() })
	return w
}

func (w *wire) Write(p []byte) (int, error) { w.down.Add(int64(len(p))); return len(p), nil }

// process is the page as its users run it.
type process struct {
	cmd    *exec.Cmd
	url    string
	client *http.Client
}

func startProgram(b *testing.B, broker string, ids []string) *process {
	b.Helper()
	folder := b.TempDir()
	binary := filepath.Join(folder, "lectern")
	if out, err := exec.Command("go", "build", "-o", binary, "lectern/cmd/lectern").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	cfg := fileFor(b, &venue{address: broker})
	text := fmt.Sprintf("building: {name: {en: Building}, language: en}\nfacilities: {broker: %q}\npanel: {pin: %q}\nfloors:\n  - name: {en: All}\n    rooms:\n", cfg.Facilities.Broker, cfg.Panel.PIN)
	for _, id := range ids {
		text += "      - {id: " + id + "}\n"
	}
	path := filepath.Join(folder, "building.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	p := &process{cmd: exec.Command(binary, "building", "--config", path, "--listen", "127.0.0.1:0")}
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.cmd.Process.Signal(os.Interrupt); _ = p.cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	p.url = strings.TrimSpace(line[strings.Index(line, "http://"):])
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	p.client = &http.Client{Jar: jar, Transport: &http.Transport{}}
	b.Cleanup(p.client.CloseIdleConnections)
	answer, err := p.client.PostForm(p.url+"/enter", url.Values{"pin": {openPIN}})
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%v, %v", answer, err)
	}
	_ = answer.Body.Close()
	return p
}

// status reads a figure of the process from the system.
func (p *process) proc(b *testing.B, file string) string {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	if err != nil {
		b.Skipf("this system tells nothing of processes: %v", err)
	}
	return string(text)
}

// resident is the memory of the process in MiB.
func (p *process) resident(b *testing.B) float64 {
	b.Helper()
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(p.proc(b, "status"))
	n, _ := strconv.ParseFloat(m[1], 64)
	return n / 1024
}

// processor is the time in seconds that the process has had of a processor.
func (p *process) processor(b *testing.B) float64 {
	b.Helper()
	_, after, _ := strings.Cut(p.proc(b, "stat"), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// stream is what a browser with the page open is told.
type stream struct{ tiles chan change }

var pageMarks = regexp.MustCompile(`data-since="(\d+)" data-epoch="(\w+)"`)

// watch opens the page's stream once it shows so many rooms as they are.
func (p *process) watch(b *testing.B, rooms int) *stream {
	b.Helper()
	var marks []string
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		answer, err := p.client.Get(p.url + "/")
		if err != nil {
			b.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		marks = pageMarks.FindStringSubmatch(string(text))
		if strings.Count(string(text), `class="tile well"`) == rooms && marks != nil {
			break
		}
		if time.Now().After(end) {
			b.Fatalf("the page never shows them all: %s", text[:min(len(text), 3000)])
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/events?since="+marks[1]+"&epoch="+marks[2], nil)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	s := &stream{tiles: make(chan change, 100_000)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 8<<20)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: {")
			var news struct{ Rooms []change }
			if !ok || json.Unmarshal([]byte("{"+data), &news) != nil {
				continue
			}
			for _, c := range news.Rooms {
				s.tiles <- c
			}
		}
	}()
	b.Cleanup(func() { cancel(); _ = answer.Body.Close(); <-over })
	return s
}

// until waits for a room's tile with a text in it.
func (s *stream) until(b *testing.B, id, text string) {
	b.Helper()
	limit := time.After(patience)
	for {
		select {
		case c := <-s.tiles:
			if c.ID == id && strings.Contains(c.HTML, text) {
				return
			}
		case <-limit:
			b.Fatalf("%s never shows %s", id, text)
		}
	}
}
