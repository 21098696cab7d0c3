//go:build clock

package main

import "time"

// clockCanBeSet says that the clock can be set; see TestTheClockIsSet. All runs of the process share it.
const clockCanBeSet = true

func setClock(by time.Duration) { time.Set(int64(by / time.Second)) }
