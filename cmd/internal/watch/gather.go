package watch

import "time"

// gather collects names, each once, and passes them to out as soon as no name has
// come for the time of quiet, or when the first came the time of most ago. It ends
// when in is closed.
func gather(in <-chan string, quiet, most time.Duration, out func(names []string)) {
	for first := range in {
		names, seen := []string{first}, map[string]bool{first: true}
		late := time.After(most)
		for open := true; open; {
			select {
			case name, ok := <-in:
				if !ok {
					return
				}
				if !seen[name] {
					seen[name] = true
					names = append(names, name)
				}
			case <-time.After(quiet):
				open = false
			case <-late:
				open = false
			}
		}
		out(names)
	}
}
