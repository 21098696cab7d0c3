package line

// FindFrame returns a Find for who has no session: it cuts what came with split, as a session does, and
// takes the first frame that accept takes.
func FindFrame(split func(got []byte) int, accept func(frame []byte) bool) func(got []byte) (start, end int, err error) {
	return func(got []byte) (start, end int, err error) {
		for start < len(got) {
			n := split(got[start:])
			if n <= 0 || start+n > len(got) {
				break
			}
			if accept(got[start : start+n]) {
				return start, start + n, nil
			}
			start += n
		}
		return 0, 0, nil
	}
}
