# Draws each start as a point and each median as a line:
#
#   gnuplot -c benches/figures/starts.gnuplot target/TARGET/tmp/starts.tsv docs/figures.svg
set terminal svg size 760,240 font "sans-serif,13" background "white"
set output ARG2
set title "From start to the first answer over TLS"
set xlabel "milliseconds"
set xrange [0:*]
set yrange [*:*] reverse
set offsets 0, 0, 0.5, 0.5
set grid xtics
set border 1
set xtics 500 nomirror
set ytics nomirror scale 0
set datafile separator "\t"
set key off
set jitter overlap 1 spread 0.3 vertical
plot ARG1 index 0 using 2:1:ytic(3) with points pointtype 7 pointsize 0.5 linecolor "#5b8db8", \
     ARG1 index 1 using 2:1:(0):(0.35) with vectors nohead linewidth 2 linecolor "#b03030", \
     ARG1 index 1 using 2:1:(0):(-0.35) with vectors nohead linewidth 2 linecolor "#b03030"
