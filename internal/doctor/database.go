package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// usualQuota is etcd's own default.
	usualQuota = 2 << 30
	// full is the part of the quota, in percent, from which on it is a warning.
	full = 80
	// fragmented is how many free bytes in the file are worth a defragmentation.
	fragmented = 256 << 20
)

// examineDatabase looks at the size of each member's database and at the alarms.
func examineDatabase(c *cluster) []Finding {
	var r report
	alarms := make(map[string][]uint64) // members by alarm
	for _, v := range c.answered() {
		v.database(&r)
		for _, e := range v.status.Errors {
			name, member, ok := alarmOf(e)
			if ok && !slices.Contains(alarms[name], member) {
				alarms[name] = append(alarms[name], member)
			}
		}
	}
	endpoints := "--endpoints=" + c.best().addr
	for _, member := range alarms["NOSPACE"] {
		r.problem("alarm.nospace", fmt.Sprintf("member %x", member),
			fmt.Sprintf("`etcdctl %[1]s compact %[2]d`, `etcdctl %[1]s defrag --cluster`, `etcdctl %[1]s alarm disarm`, in that order; or a greater --quota-backend-bytes (`micro server --quota`) before the last",
				endpoints, c.best().status.GetHeader().GetRevision()),
			"alarm NOSPACE: the database is full. What is registered stays, but nothing can be registered")
	}
	for _, member := range alarms["CORRUPT"] {
		r.problem("alarm.corrupt", fmt.Sprintf("member %x", member),
			fmt.Sprintf("`etcdctl %[1]s member remove %[2]x`, empty its data directory, `etcdctl %[1]s member add`, start it, `etcdctl %[1]s alarm disarm`", endpoints, member),
			"alarm CORRUPT: its data differ from the others'")
	}
	if len(alarms) == 0 {
		r.ok("alarm.none", "alarms", "there are none")
	}
	return r
}

// database looks at one member.
func (v *visit) database(r *report) {
	s := v.status
	quota, says := s.DbSizeQuota, "of its quota"
	if quota <= 0 {
		quota, says = usualQuota, "of the usual quota (this release does not tell its own)"
	}
	compact := fmt.Sprintf("`etcdctl --endpoints=%s compact %d`", v.addr, s.GetHeader().GetRevision())
	defrag := fmt.Sprintf("`etcdctl --endpoints=%s defrag`", v.addr)
	part := 100 * s.DbSize / quota
	switch {
	case part >= full:
		r.warn("db.filling", v.addr, compact+", then "+defrag+"; then --auto-compaction-retention, or a greater --quota-backend-bytes (`micro server --auto_compaction`, `--quota`)",
			"the database takes %s, %d%% %s of %s; at 100%% nothing can be registered", mib(s.DbSize), part, says, mib(quota))
	case s.DbSizeInUse > 0 && s.DbSize-s.DbSizeInUse > fragmented && s.DbSizeInUse < s.DbSize/2:
		r.warn("db.fragmented", v.addr, defrag, "the database takes %s and uses %s of that", mib(s.DbSize), mib(s.DbSizeInUse))
	default:
		r.ok("db.size", v.addr, "the database takes %s, %d%% %s of %s", mib(s.DbSize), part, says, mib(quota))
	}
}

var memberID = regexp.MustCompile(`memberID:\s*(\d+)`)

// alarmOf reads an alarm from what a member reports as an error. Reading it there
// needs no rights, unlike asking for the alarms.
func alarmOf(text string) (name string, member uint64, ok bool) {
	for _, name := range []string{"NOSPACE", "CORRUPT"} {
		if strings.Contains(text, name) {
			if m := memberID.FindStringSubmatch(text); m != nil {
				member, _ = strconv.ParseUint(m[1], 10, 64) // 0 if it is none
			}
			return name, member, true
		}
	}
	return "", 0, false
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
