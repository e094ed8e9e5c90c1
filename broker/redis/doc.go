// Package redis is a broker on a Redis server, version 6.2 or newer, over its client
// github.com/redis/go-redis/v9. It is a module of its own, so that only programs that
// import it need that client:
//
//	service := micro.NewService(
//		micro.Broker(redis.NewBroker(broker.Addrs("redis://10.0.0.1:6379"))),
//	)
//
// cmd.NewBroker("redis", redis.NewBroker) makes it a choice of --broker.
//
// A topic is a stream, under the key "micro:topic:" with the topic behind it, and each
// entry has one field, "m": the message, header and body, in JSON unless broker.Codec
// says otherwise. (go-micro v2's plugin used Redis' channels, where a message that finds
// nobody is lost; programs of both kinds do not hear each other.)
//
// # At least once
//
// Publish returns when the server has the message. A subscription with a broker.Queue is
// a consumer group of that name: its members share the messages, and it goes on where it
// stopped when nobody was there for a while. One without gets what is published from
// then on, for as long as its process lives. Messages come in the order in which the
// server got them. One whose Handler returns an error comes again, after others, later
// each time, and after Delivery.MaxDeliver times it is put aside: it goes to the stream
// of the topic with "dead." before it. One whose process was lost is given to another
// member of the queue after Delivery.AckWait.
//
// A stream keeps about as many messages as Delivery.MaxLen says, handled or not. A
// subscription that is further behind loses the oldest. And what the server itself loses,
// because it does not write every command to its disk (appendfsync always), is lost.
//
// # The connection
//
// Connections are made when they are needed, and again when they were lost, without end.
// While the server is away Publish returns an error that wraps broker.ErrNotConnected;
// nothing is kept for later.
package redis
