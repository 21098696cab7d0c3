package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// buildingRooms is how many rooms stand on one broker; LECTERN_ROOMS sets another number.
const buildingRooms = 500

// BenchmarkBuilding puts a building's rooms on one Mosquitto and has facilities set lamps in random rooms.
// Rooms and facilities share this process, and with it the broker's processors, so a real building with a
// machine in each room is no slower. One iteration is the whole measurement:
//
//	go test -run '^$' -bench Building -benchtime 1x ./panel/mqtt
func BenchmarkBuilding(b *testing.B) {
	rooms := buildingRooms
	if n, err := strconv.Atoi(os.Getenv("LECTERN_ROOMS")); err == nil {
		rooms = n
	}
	v := &venue{name: "mosquitto", address: free(b)}
	mosquitto(b, v, "allow_anonymous true", "max_connections -1")
	b.Cleanup(v.kill)

	ready := make(chan string, 4*rooms)
	var waiting sync.Map // $result topic -> chan string
	var messages atomic.Int64
	facilities := paho.NewClient(paho.NewClientOptions().AddBroker(v.url()).SetAutoReconnect(false))
	done(b, facilities.Connect())
	defer facilities.Disconnect(100)
	done(b, facilities.Subscribe("#", 1, func(_ paho.Client, m paho.Message) {
		messages.Add(1)
		switch {
		case strings.HasSuffix(m.Topic(), "/$state") && string(m.Payload()) == "ready":
			ready <- m.Topic()
		case strings.HasSuffix(m.Topic(), "/$result"):
			var r result
			if _ = json.Unmarshal(m.Payload(), &r); r.Outcome == "accepted" {
				return
			}
			if to, ok := waiting.Load(m.Topic()); ok {
				to.(chan string) <- r.Outcome
			}
		}
	}))

	before := inUse()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	began := time.Now()
	for i := range rooms {
		h := newHall(b, v, fmt.Sprint("room-", i))
		wg.Go(func() { _ = h.gateway.Run(ctx) })
	}
	for range rooms {
		select {
		case <-ready:
		case <-time.After(patience):
			b.Fatal("a room does not come up")
		}
	}
	up := time.Since(began)
	b.ReportMetric(float64(inUse()-before)/float64(rooms)/1024, "KiB/room")
	b.ReportMetric(up.Seconds(), "s-until-all-ready")

	// Each of the hands sets one lamp, waits for its final word, and sets the next: so long as they wait for
	// nothing else, this is what the building can do; the times are those under that load.
	for _, hands := range []int{1, 50} {
		var mu sync.Mutex
		var took []time.Duration
		var turns sync.WaitGroup
		messages.Store(0)
		began, end := time.Now(), time.Now().Add(5*time.Second)
		for hand := range hands {
			turns.Go(func() {
				for time.Now().Before(end) {
					room := rand.N(rooms/hands)*hands + hand // nobody else's
					topic := fmt.Sprintf("homie/5/room-%d/spot/level", room)
					answer := make(chan string, 1)
					waiting.Store(topic+"/$result", answer)
					at := time.Now()
					facilities.Publish(topic+"/set", 1, false, []string{"low", "off"}[rand.N(2)])
					select {
					case outcome := <-answer:
						if outcome != "done" {
							b.Errorf("%s: %s", topic, outcome)
						}
					case <-time.After(patience):
						b.Errorf("%s: no answer", topic)
						return
					}
					mu.Lock()
					took = append(took, time.Since(at))
					mu.Unlock()
				}
			})
		}
		turns.Wait()
		spent := time.Since(began)
		slices.Sort(took)
		name := fmt.Sprint("-of-", hands)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms"+name)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms"+name)
		b.ReportMetric(float64(len(took))/spent.Seconds(), "sets/s"+name)
		b.ReportMetric(float64(messages.Load())/spent.Seconds(), "msgs/s"+name)
	}
	b.ReportMetric(0, "ns/op")
	cancel()
	wg.Wait()
}

// inUse is what this process holds after all that can be freed is.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
