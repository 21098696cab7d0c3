package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// commitEvery is the least from one commit to the next while there is a crowd, which is when a commit had more than one
	// entry: a commit costs the processor as much as all else about a press.
	commitEvery = 2 * time.Millisecond
	stateEvery  = 10 * time.Second       // what the equipment says by itself is committed at latest
	seenEvery   = 10 * time.Minute       // that it said the same again
	syncEvery   = time.Second            // from a commit until it is on the disk itself
	idleFor     = 5 * time.Second        // after the last commit the log is taken over into the file
	retryEvery  = 5 * time.Second        // between two tries at a disk in trouble
	stuckAfter  = 2 * time.Second        // a commit that takes longer is trouble
	endMost     = 2 * time.Second        // for the last commit
	pruneEvery  = 10 * time.Minute       // looks for what is too old
	pruneStep   = 500                    // entries deleted at a time
	prunePause  = 200 * time.Millisecond // between two steps, so that commits come between
)

// Bounds of what is kept: by age, as the room file says, and by number whatever it says - some 400 MB.
const (
	keepDefault = 365 * 24 * time.Hour
	entriesMost = 2_000_000
)

// Run writes until ctx ends, and then the rest. It gives up on a disk that does not take the rest
// within endMost, and always returns nil: the room does not end because its journal cannot be written.
func (j *Journal) Run(ctx context.Context) error {
	if j.path == "" {
		<-ctx.Done()
		return nil
	}
	go func() {
		defer close(j.gone)
		flushed := make(chan struct{})
		go func() { defer close(flushed); j.flushAll() }()
		j.work(ctx)
		close(j.flush)
		<-flushed
	}()
	<-ctx.Done()
	late := time.NewTimer(endMost)
	defer late.Stop()
	select {
	case <-j.gone:
	case <-late.C:
		j.log.Error("the disk does not take the end of the journal; it is left", "file", j.path)
	}
	j.mu.Lock()
	j.over = true
	j.move()
	j.mu.Unlock()
	return nil
}

// writer is what the one goroutine that writes remembers; zero times are not due.
type writer struct {
	*Journal
	retry, sync, idle, seen, prune time.Time
	unsynced                       uint64 // what is to be put on the disk at the time sync
	crowd                          bool   // the last commit had more than one entry
}

// work writes what is to be written whenever there is something, or something is due.
func (j *Journal) work(ctx context.Context) {
	now := time.Now()
	w := &writer{Journal: j, seen: now.Add(seenEvery), prune: now.Add(prunePause)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	last := now
	for {
		select {
		case <-j.wake:
			if w.crowd {
				time.Sleep(commitEvery - time.Since(last))
			}
		case <-timer.C:
		case <-ctx.Done():
			w.pass(time.Now(), true)
			j.disk <- struct{}{}
			if j.db != nil {
				j.db.close()
				j.db = nil
			}
			<-j.disk
			return
		}
		last = time.Now()
		timer.Reset(time.Until(w.pass(last, false)))
	}
}

// pass does what is due and says when it wants to be called again if nothing comes before.
func (w *writer) pass(now time.Time, last bool) (next time.Time) {
	watch := time.AfterFunc(stuckAfter, func() { w.trouble(errStuck) })
	defer watch.Stop()
	w.disk <- struct{}{}
	defer func() { <-w.disk }()
	if w.db == nil {
		if now.Before(w.retry) && !last {
			return w.retry
		}
		if err := w.open(); err != nil {
			return w.failed(err)
		}
	}
	w.mu.Lock()
	bad := w.bad
	w.bad = nil
	w.mu.Unlock()
	if bad != nil {
		return w.failed(bad)
	}
	aged := last || !now.Before(w.seen)
	if aged {
		w.seen = now.Add(seenEvery)
	}
	if b := w.collect(now, aged); !b.empty() {
		if err := w.db.write(b); err != nil {
			return w.failed(err)
		}
		w.committed(b)
		w.crowd = len(b.entries) > 1
		w.unsynced, w.idle = b.asked, now.Add(idleFor)
		if w.sync.IsZero() {
			w.sync = now.Add(syncEvery)
		}
		if len(b.runs) > 0 {
			w.sync = now
		}
	}
	if !w.sync.IsZero() && !now.Before(w.sync) {
		select {
		case <-w.flush: // one that has not begun; this one does for both
		default:
		}
		w.flush <- flush{w.db.log, w.unsynced}
		w.sync = time.Time{}
	}
	// A disk that takes a commit into the log may still be too full for the rest.
	if ok, stalled := w.well(); last || !stalled && (!ok || !w.idle.IsZero() && !now.Before(w.idle)) {
		if err := w.db.checkpoint(); err != nil {
			return w.failed(err)
		}
		w.idle = time.Time{}
	}
	if !last && !now.Before(w.prune) {
		n, err := w.db.prune(now.Add(-time.Duration(w.keep.Load())), entriesMost, pruneStep)
		if err != nil {
			return w.failed(err)
		}
		w.prune = now.Add(pruneEvery)
		if n >= pruneStep/2 {
			w.prune = now.Add(prunePause)
		}
		if n > 0 {
			w.idle = now.Add(idleFor)
		}
	}
	w.better()
	next = w.seen
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.restless.IsZero() {
		next = earlier(next, w.restless.Add(stateEvery))
	}
	return earlier(earlier(earlier(next, w.prune), w.sync), w.idle)
}

// flush is a log to be put on the disk, with what is then safe.
type flush struct {
	log  *os.File
	mark uint64
}

// flushAll puts on the disk what it is told to. It has a goroutine of its own, and not the database, so
// that commits go on meanwhile.
func (j *Journal) flushAll() {
	for f := range j.flush {
		watch := time.AfterFunc(stuckAfter, func() {
			j.mu.Lock()
			j.stalled = true
			j.mu.Unlock()
			j.trouble(errStuck)
		})
		err := f.log.Sync()
		watch.Stop()
		j.mu.Lock()
		j.stalled = false
		if err == nil {
			j.synced = max(j.synced, f.mark)
		}
		j.move()
		j.mu.Unlock()
		switch {
		case errors.Is(err, os.ErrClosed): // the file was opened anew meanwhile
		case err != nil:
			j.found(fmt.Errorf("putting the journal on the disk: %w", err))
		default:
			j.rouse()
		}
	}
}

// found notes what somebody else found wrong, for the writer to deal with.
func (j *Journal) found(err error) {
	j.mu.Lock()
	j.bad = err
	j.mu.Unlock()
	j.rouse()
}

var errStuck = errors.New("the disk has not answered for " + stuckAfter.String())

// failed deals with an error of the disk and says when to try again. The caller has the disk.
func (w *writer) failed(err error) time.Time {
	if w.db != nil {
		w.db.close()
		w.db = nil
	}
	w.anew()
	if broken(err) {
		if err = w.setAside(err); err == nil {
			return time.Now()
		}
	}
	w.trouble(err)
	w.sync, w.idle, w.retry = time.Time{}, time.Time{}, time.Now().Add(retryEvery)
	return w.retry
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// open opens the file. The first time in this life it takes over what the life before left; a bad
// file is set aside. The caller has the disk, or is alone.
func (j *Journal) open() error {
	d, err := openDatabase(j.path)
	var l left
	if err == nil {
		if l, err = d.load(); err != nil {
			d.close()
		}
	}
	if err != nil && broken(err) {
		l = left{}
		if err = j.setAside(err); err == nil {
			d, err = openDatabase(j.path)
		}
	}
	if err != nil {
		return err
	}
	j.db = d
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.numbered {
		// A file that has less than was written is another one; it gets what memory still holds.
		j.written = min(j.written, l.seq)
		return nil
	}
	j.numbered = true
	for i := range j.recent { // from before the file could be read
		j.recent[i].Seq += l.seq
	}
	j.seq, j.written = j.seq+l.seq, l.seq
	j.took(l)
	return nil
}

// took takes over what an earlier life left. Where that could be read only when the room was at work
// already it is too late for it. The caller holds mu.
func (j *Journal) took(l left) {
	if j.asked > 0 && !j.health.OK {
		for _, r := range l.runs {
			r.Open, r.State = false, "cancelled"
			j.runs[r.ID], j.dirty[r.ID] = r, true
			j.log.Warn("a run that was cut off could be read too late; nothing was done", "scene", r.Scene)
		}
		return
	}
	j.cutOff, j.before = l.runs, l.last
	for _, r := range l.runs {
		j.runs[r.ID] = r
	}
	for _, r := range l.readings {
		j.readings[[2]string{r.Device, r.Property}] = &reading{Reading: r}
	}
}

// Began records that the daemon has started, and whether the life before came to an orderly end.
func (j *Journal) Began(version string) {
	if j == nil {
		return
	}
	detail := "version " + version
	j.mu.Lock()
	if j.before == "started" {
		detail += "; the life before was cut off"
	}
	j.mu.Unlock()
	j.Record(Entry{By: By{Via: "daemon"}, Outcome: "started", Detail: detail})
}

// Ended records that the daemon stops.
func (j *Journal) Ended() {
	j.Record(Entry{By: By{Via: "daemon"}, Outcome: "stopped"})
}

// Close closes a journal that is not run.
func (j *Journal) Close() {
	if j == nil {
		return
	}
	j.disk <- struct{}{}
	if j.db != nil {
		j.db.close()
		j.db = nil
	}
	<-j.disk
}
