package devicetest

import (
	"fmt"
	"math/rand/v2"
)

// Address is where something may listen that comes back at the same port: on a loopback address of its own, where nobody
// else takes the port while it is away. The port is any.
func Address() string {
	return fmt.Sprintf("127.%d.%d.%d:0", rand.N(254)+1, rand.N(254)+1, rand.N(254)+1)
}
