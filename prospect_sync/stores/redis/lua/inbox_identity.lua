-- Give the epoch of this data set; ARGV: the text to make it, if there is none.
redis.call('SETNX', prefix .. 'epoch', ARGV[1])
return redis.call('GET', prefix .. 'epoch')
