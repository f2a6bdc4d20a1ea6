"""What a user could pick instead of Tocsin, made as well as such things are made, and how all of it fares on the same articles.

python -m bench.peers                        the seeds and 2,000 generated articles, as a table
python -m bench.peers --corpus FILE          a labelled corpus as well, a JSON object a line
python -m bench.peers --only keywords        one row of it
"""
