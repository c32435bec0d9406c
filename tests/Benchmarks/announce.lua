-- wrk runs this. Arguments: a file with one whole HTTP request in which \1 stands for a peer and \2 for a file; how many
-- peers there are; the number of the first file; and how each of the two is written, as string.format has it. Each peer
-- announces a file, then each of them the next one, so that no request is sent twice.

local pieces, holes = {}, {}
local peers, file, turn = 0, 0, -1
local peerFormat, fileFormat

function init(arguments)
    local text = io.open(arguments[1]):read("*a")
    peers, file = tonumber(arguments[2]), tonumber(arguments[3])
    peerFormat, fileFormat = arguments[4], arguments[5]
    for piece, hole in (text .. "\3"):gmatch("([^\1\2\3]*)([\1\2\3])") do
        pieces[#pieces + 1] = piece
        holes[#holes + 1] = hole
    end
end

function request()
    turn = turn + 1
    if turn == peers then
        turn, file = 0, file + 1
    end

    local peer, hash = peerFormat:format(turn), fileFormat:format(file)
    local parts = {}
    for index = 1, #pieces do
        parts[2 * index - 1] = pieces[index]
        parts[2 * index] = holes[index] == "\1" and peer or holes[index] == "\2" and hash or ""
    end

    return table.concat(parts)
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("RESULT %d %d %d %d %d %d",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), 0,
        errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
